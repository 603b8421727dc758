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


def opening_balance(rows: Iterable[Settled]) -> int | None:
    """The balance before the first transaction, by Qonto's own word; `None` when that cannot be told."""
    ordered = sorted(rows, key=lambda row: row.settled_at)
    first = [row for row in ordered if row.settled_at == ordered[0].settled_at]
    if any(row.balance_cents is None for row in first):
        return None
    told = {row.balance_cents for row in first if row.balance_cents is not None}
    starts = {row.balance_cents - row.signed_cents for row in first if row.balance_cents is not None}
    candidates = starts if len(first) == 1 else starts - told
    return candidates.pop() if len(candidates) == 1 else None
