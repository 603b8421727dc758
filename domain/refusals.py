"""What Xero's validation messages mean for a transaction: what can pass by itself, and what a person must see."""

from __future__ import annotations

import re

from domain.reasons import Again, Held, Rejected

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


# Two requests that name a new contact at the same moment both make it, and Xero refuses the later one.
BESIDE_OTHERS = re.compile(r"contact name .* is already assigned to another contact", re.IGNORECASE | re.DOTALL)


def meaning(messages: list[str], refusals: int, *, alone: bool) -> Again | Held | Rejected:
    """Return whether a refused transaction is sent again at once, held or rejected. `refusals` counts this one.

    `alone`: nothing else of ours was under way, so no other request of ours can be the cause. A message we do not know
    may pass (an account archived between our read and our write, say), so it is tried again.
    """
    for pattern, reason in KNOWN:
        if any(pattern.search(message) for message in messages):
            return reason
    if not alone and any(BESIDE_OTHERS.search(message) for message in messages):
        return Again.BESIDE_OTHERS
    return Rejected.REFUSED if refusals >= MOST_REFUSALS else Held.REFUSED
