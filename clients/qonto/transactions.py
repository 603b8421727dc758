"""`GET /v2/transactions`: one account's completed transactions, oldest change first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import msgspec

from clients.decoding import decoder_of
from clients.qonto.client import Qonto

PAGE = 100  # the most Qonto gives

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Transaction(msgspec.Struct):
    """A row as Qonto gives it. `amount_cents` is positive, `side` tells the direction, `currency` is the account's;
    `local_...` is what the shop charged. `settled_at` is UTC, and empty until it settles.
    """

    id: str
    bank_account_id: str
    amount: Decimal
    amount_cents: int
    currency: str
    side: str
    status: str
    updated_at: Moment
    operation_type: str = "other"
    local_amount_cents: int | None = None
    local_currency: str | None = None
    settled_at: Moment | None = None
    settled_balance_cents: int | None = None
    label: str | None = None
    clean_counterparty_name: str | None = None
    reference: str | None = None
    card_last_digits: str | None = None
    is_external_transaction: bool = False


@dataclass(frozen=True)
class Unreadable:
    """A row that is not what Qonto documents, with its exact bytes."""

    payload: bytes
    problem: str


@dataclass(frozen=True)
class Page:
    """`more`: Qonto has rows after these."""

    rows: list[Transaction]
    unreadable: list[Unreadable]
    more: bool


class _Meta(msgspec.Struct):
    next_page: int | None = None


class _Answer(msgspec.Struct):
    transactions: list[msgspec.Raw]
    meta: _Meta | None = None


def list_transactions(qonto: Qonto, bank_account_id: str, updated_from: datetime, page: int) -> Page:
    """Completed rows updated from a moment on, open-ended, oldest first. An unreadable row does not hide the others."""
    answer = qonto.get(
        "/v2/transactions",
        _Answer,
        {
            "bank_account_id": bank_account_id,
            "status[]": "completed",
            "sort_by": "updated_at:asc",
            "updated_at_from": updated_from.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "page": str(page),
            "per_page": str(PAGE),
        },
    )
    rows: list[Transaction] = []
    unreadable: list[Unreadable] = []
    for raw in answer.transactions:
        row = read_row(bytes(raw))
        (unreadable if isinstance(row, Unreadable) else rows).append(row)  # type: ignore[arg-type]
    told = answer.meta.next_page is not None if answer.meta else len(answer.transactions) == PAGE
    return Page(rows, unreadable, more=told)


def read_row(raw: bytes) -> Transaction | Unreadable:
    """One row of the list, if it is what Qonto documents."""
    try:
        row = decoder_of(Transaction).decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Unreadable(raw, str(error))
    if row.amount * 100 != row.amount_cents:
        return Unreadable(raw, "amount and amount_cents differ")
    if "\x00" in row.id + row.currency + (row.local_currency or ""):
        return Unreadable(raw, "an id or currency holds a NUL")
    if row.side not in {"credit", "debit"}:
        return Unreadable(raw, f"side is neither credit nor debit: {row.side!r}")
    return row
