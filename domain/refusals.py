"""What Xero's validation messages mean for a transaction: what can pass by itself, and what a person must see."""

from __future__ import annotations

import re

from domain.reasons import Held, Rejected

MOST_REFUSALS = 3  # nights on which a refusal we do not know is tried before it counts as final

KNOWN: tuple[tuple[re.Pattern[str], Held], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"lock date", Held.LOCK_DATE),
        (r"not subscribed to currency", Held.CURRENCY),
        (r"account code .* (is not a valid code|has been archived)", Held.CODING_ACCOUNT),
        (r"contact .* (has been|is) archived", Held.CONTACT),
    )
)


def meaning(messages: list[str], refusals: int) -> Held | Rejected:
    """Whether a refused transaction is held or rejected. `refusals` counts this one.

    A message we do not know may pass (an account archived between our read and our write, say), so it is tried again.
    """
    for pattern, reason in KNOWN:
        if any(pattern.search(message) for message in messages):
            return reason
    return Rejected.REFUSED if refusals >= MOST_REFUSALS else Held.REFUSED
