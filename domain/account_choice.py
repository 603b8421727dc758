"""Which Xero account belongs to a Qonto bank account: ours if it is there, a new generation if it is gone."""

from __future__ import annotations

from collections.abc import Mapping
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
    """The newest link we remember. `account_id` is empty while Xero's answer to its creation is unknown."""

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
    """There is none, and none is made: the account is external, or not active in Qonto."""

    why: LeftOut


Choice = Use | Create | LeaveOut


def choose(
    bank_account_id: str,
    status: str,
    is_external: bool,
    link: KnownLink | None,
    by_code: Mapping[str, InXero],
    by_id: Mapping[str, InXero],
) -> Choice:
    """Find ours by link, then by mark, newest generation first. What carries no mark of ours is never ours.

    `status` is Qonto's; only an `active` account is made or made again.
    """
    left_out = why_left_out(status, is_external=is_external)
    if left_out == LeftOut.EXTERNAL:
        return LeaveOut(left_out)
    known = link.generation if link else 1
    newest_seen = 0
    for generation in range(known + GENERATIONS_AHEAD, 0, -1):
        found = by_code.get(account_mark(bank_account_id, generation))
        if found is None and link and link.account_id and link.generation == generation:
            found = by_id.get(link.account_id)
        if found and found.status == ACTIVE:
            return Use(generation, found.account_id)
        if found:
            newest_seen = max(newest_seen, generation)
    if left_out:
        return LeaveOut(left_out)
    if link:
        newest_seen = max(newest_seen, link.generation if link.account_id else link.generation - 1)
    return Create(newest_seen + 1)


def why_left_out(status: str, *, is_external: bool) -> LeftOut | None:
    """Why an account of Qonto's with this status is not made in Xero; `None` means that it is."""
    if is_external:
        return LeftOut.EXTERNAL
    if status == IN_USE:
        return None
    return LeftOut.CLOSED if status == CLOSED else LeftOut.NOT_ACTIVE
