"""Qonto proves its own list: each `settled_balance` is the one before plus the amount. A break is a missing row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter


@dataclass(frozen=True, slots=True)
class Settled:
    """One completed transaction: what it did to the balance (signed cents), and the balance after it, if told."""

    transaction_id: str
    settled_at: datetime
    signed_cents: int
    balance_cents: int | None


def first_break(rows: Iterable[Settled]) -> Settled | None:
    """The first transaction that does not follow from the ones before it; `None` when all chain.

    Rows that settled at the same moment have no order among themselves: together they must lead from a balance before
    them to a balance of one of them. Where a row tells no balance, the ones after it decide.
    """
    possible: set[int] | None = None
    ordered = sorted(rows, key=attrgetter("settled_at", "transaction_id"))
    for _, same_moment in groupby(ordered, key=attrgetter("settled_at")):
        group = list(same_moment)
        told = {row.balance_cents for row in group if row.balance_cents is not None}
        all_told = all(row.balance_cents is not None for row in group)
        if possible is None:
            possible = told if all_told else None
            continue
        moved = sum(row.signed_cents for row in group)
        possible = {balance + moved for balance in possible}
        if all_told:
            possible &= told
        if not possible:
            return group[0]
    return None


def closing_balance(rows: Iterable[Settled]) -> int | None:
    """Return the balance after the last transaction, by Qonto's own word; `None` when that cannot be told.

    Where the newest tell no balance, an older one does, and they are added to it.
    """
    later = 0
    ordered = sorted(rows, key=attrgetter("settled_at"), reverse=True)
    for _, same_moment in groupby(ordered, key=attrgetter("settled_at")):
        group = list(same_moment)
        last = _last_balance(group)
        if last is not None:
            return last + later
        later += sum(row.signed_cents for row in group)
    return None


def _last_balance(same_moment: list[Settled]) -> int | None:
    """Return the one balance that no other row of the same moment starts from."""
    told = [
        (row.balance_cents, row.balance_cents - row.signed_cents)
        for row in same_moment
        if row.balance_cents is not None
    ]
    if len(told) < len(same_moment):
        return None
    ends, starts = {end for end, _ in told}, {start for _, start in told}
    candidates = ends if len(told) == 1 else ends - starts
    return candidates.pop() if len(candidates) == 1 else None
