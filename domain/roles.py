"""Who may connect and disconnect, by their membership at Qonto."""

from __future__ import annotations

from domain.reasons import NotAllowed

# Qonto's API says `reporting` where its app says Accountant; `accountant` is taken too, should it ever say that.
MAY_DECIDE = frozenset({"owner", "admin", "reporting", "accountant"})
ACTIVE = "active"


def why_not_allowed(role: str | None, status: str | None) -> NotAllowed | None:
    """Why a member may not decide about the integration; `None` means that they may. Both sets are open at Qonto."""
    if status != ACTIVE:
        return NotAllowed.NOT_ACTIVE
    return None if role in MAY_DECIDE else NotAllowed.ROLE
