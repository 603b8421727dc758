"""Xero's own books in the simulation: the truth by which a seed is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

Element = dict[str, Any]


@dataclass
class Row:
    """A bank transaction. `listed_from` is when lists begin to show it, in simulated seconds."""

    id: str
    tenant_id: str
    url: str
    account_id: str
    type: str
    total: Decimal
    date: date
    changed_at: float
    listed_from: float
    is_deleted: bool = False

    def answer(self) -> Element:
        """As Xero tells it."""
        return {
            "BankTransactionID": self.id,
            "Type": self.type,
            "Status": "DELETED" if self.is_deleted else "AUTHORISED",
            "Url": self.url,
            "Total": float(self.total),
            "BankAccount": {"AccountID": self.account_id},
            "StatusAttributeString": "OK",
        }


class Ledger:
    """Every row of every organisation, deleted ones too. `on_made` is told of each new one."""

    def __init__(self, on_made: Callable[[Row], None]) -> None:
        self.rows: list[Row] = []
        self._on_made = on_made

    def make(self, tenant_id: str, element: Element, row_id: str, now: float, listed_from: float) -> Row:
        row = Row(
            id=row_id,
            tenant_id=tenant_id,
            url=element["Url"],
            account_id=element["BankAccount"]["AccountID"],
            type=element["Type"],
            total=Decimal(str(element["LineItems"][0]["UnitAmount"])),
            date=date.fromisoformat(element["Date"]),
            changed_at=now,
            listed_from=listed_from,
        )
        self.rows.append(row)
        self._on_made(row)
        return row

    def of(self, url: str) -> list[Row]:
        return [row for row in self.rows if row.url == url]

    def listed(self, tenant_id: str, since: float, now: float) -> list[Row]:
        """What a list shows now of what changed since a moment, in order of id."""
        shown = [r for r in self.rows if r.tenant_id == tenant_id and r.listed_from <= now and r.changed_at >= since]
        return sorted(shown, key=lambda row: row.id)

    def delete(self, row: Row, now: float) -> None:
        row.is_deleted, row.changed_at = True, now
