"""Which Xero account belongs to a Qonto bank account: ours if it is there, a new generation if it is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.marks import account_mark
from domain.reasons import LeftOut

IN_USE = "active"  # Qonto's status; the set is open, and whatever else is in it is not in use
CLOSED = "closed"  # Qonto's status, for good
ACTIVE = "ACTIVE"  # Xero's status; anything else cannot be posted to
GENERATIONS_AHEAD = 20  # how far to look for accounts of ours that our own rows no longer know


@dataclass(frozen=True)
class InXero:
    """A bank account as Xero lists it now."""

    account_id: str
    code: str
    status: str


@dataclass(frozen=True)
class KnownLink:
    """A link that we remember. `account_id` is empty while Xero's answer to its creation is unknown."""

    generation: int
    account_id: str


@dataclass(frozen=True)
class Use:
    """It is there and active: post to it."""

    generation: int
    account_id: str


@dataclass(frozen=True)
class Create:
    """Ask Xero to make it, under this generation's mark."""

    generation: int


@dataclass(frozen=True)
class LeaveOut:
    """There is none, and none is made: the account is external, not active yet, or closed and needed no more."""

    why: LeftOut


Choice = Use | Create | LeaveOut


def choose(
    bank_account_id: str,
    status: str,
    is_external: bool,
    links: Sequence[KnownLink],
    by_code: Mapping[str, InXero],
    by_id: Mapping[str, InXero],
    *,
    has_rows: bool,
) -> Choice:
    """Return the newest generation that is active in Xero, by its mark or by the id that we remember, else make one.

    An account that has neither is never used. `status` is Qonto's: an active account is made, and made again; a closed
    one is made if it `has_rows` to send and was never in Xero, and is not made again.
    """
    left_out = why_left_out(status, is_external=is_external)
    if left_out == LeftOut.EXTERNAL:
        return LeaveOut(left_out)
    ids = {link.generation: link.account_id for link in links}
    newest_seen = 0
    for generation in range(max(ids, default=1) + GENERATIONS_AHEAD, 0, -1):
        account_id = ids.get(generation, "")
        known = by_id.get(account_id) if account_id else None
        shown = [one for one in (known, by_code.get(account_mark(bank_account_id, generation))) if one]
        for found in shown:
            if found.status == ACTIVE:
                return Use(generation, found.account_id)
        if shown or account_id:
            newest_seen = max(newest_seen, generation)
    if left_out == LeftOut.CLOSED and newest_seen:
        return LeaveOut(LeftOut.GONE)
    if left_out and not (left_out == LeftOut.CLOSED and has_rows):
        return LeaveOut(left_out)
    unanswered = max((generation for generation, account_id in ids.items() if not account_id), default=0)
    return Create(max(newest_seen + 1, unanswered))


def why_left_out(status: str, *, is_external: bool) -> LeftOut | None:
    """Return why an account of Qonto's with this status is not made in Xero before it has rows; None if it is."""
    if is_external:
        return LeftOut.EXTERNAL
    if status == IN_USE:
        return None
    return LeftOut.CLOSED if status == CLOSED else LeftOut.NOT_ACTIVE
