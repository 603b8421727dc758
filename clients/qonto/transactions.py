"""`GET /v2/transactions`: one account's completed transactions, oldest change first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

import msgspec

from clients.decoding import BIGINT, MOST_CENTS, SPARE, Cents, Id, Moment, Text, UnreadableRow, Word, decode_rows
from clients.qonto.client import Qonto
from clients.qonto.pages import PAGE, is_followed

PATH = "/v2/transactions"
CALL = f"Qonto GET {PATH}"
YEARS = range(2000, 2200)  # Qonto was founded in 2016; no time zone carries a moment within these off the calendar

Amount = Annotated[int, msgspec.Meta(ge=0, le=MOST_CENTS)]  # in cents


class Transaction(msgspec.Struct):
    """A row as Qonto gives it. `amount_cents` is positive, `side` tells the direction, `currency` is the account's;
    `local_...` is what the shop charged, both or neither. `settled_at` is UTC, and empty until it settles.
    """

    id: Id
    amount_cents: Amount
    currency: Word
    side: Word
    status: Word
    updated_at: Moment
    settled_at: Moment | None = None
    settled_balance_cents: Cents | None = None
    operation_type: Word = "other"
    is_external_transaction: bool = False
    amount: Annotated[Decimal | None, SPARE] = None
    local_amount_cents: Annotated[Amount | None, SPARE] = None
    local_currency: Annotated[Word | None, SPARE] = None
    label: Text = ""
    clean_counterparty_name: Text = ""
    reference: Text = ""
    card_last_digits: Text = ""

    def __post_init__(self) -> None:
        """Check what no type says. Raises ValueError."""
        if self.amount is not None and _in_cents(self.amount) not in {None, self.amount_cents}:
            raise ValueError("amount and amount_cents differ")
        if self.side not in {"credit", "debit"}:
            raise ValueError(f"side is neither credit nor debit: {self.side!r}")
        if not all(moment.year in YEARS for moment in (self.updated_at, self.settled_at) if moment):
            raise ValueError(f"a moment is not in the years {YEARS.start} to {YEARS.stop - 1}")
        if self.local_amount_cents is None or not self.local_currency:
            self.local_amount_cents = self.local_currency = None


class UnreadableTransaction(UnreadableRow):
    """A row that cannot be read. What can be of it says which money is meant; `None` stands for what cannot."""

    @property
    def transaction_id(self) -> str | None:
        """Return Qonto's id of it."""
        found: str | None = self.field("id", Id)
        return found

    @property
    def amount_cents(self) -> int | None:
        """Return its amount."""
        found: int | None = self.field("amount_cents", Amount)
        return found

    @property
    def side(self) -> str | None:
        """Return `credit` or `debit`."""
        found: str | None = self.field("side", Word)
        return found if found in {"credit", "debit"} else None

    @property
    def settled_at(self) -> datetime | None:
        """Return when it settled."""
        return self._moment("settled_at")

    @property
    def updated_at(self) -> datetime | None:
        """Return when it last changed."""
        return self._moment("updated_at")

    def _moment(self, name: str) -> datetime | None:
        found: datetime | None = self.field(name, Moment)
        return found if found and found.year in YEARS else None


@dataclass(frozen=True)
class Page:
    """`more`: Qonto has rows after these."""

    rows: list[Transaction]
    unreadable: list[UnreadableTransaction]
    more: bool


def list_transactions(qonto: Qonto, bank_account_id: str, updated_from: datetime, page: int) -> Page:
    """Completed rows updated from a moment on, open-ended, oldest first. An unreadable row does not hide the others."""
    body = qonto.body(
        PATH,
        {
            "bank_account_id": bank_account_id,
            "status[]": "completed",
            "sort_by": "updated_at:asc",
            "updated_at_from": in_milliseconds(updated_from),
            "page": str(page),
            "per_page": str(PAGE),
        },
    )
    return _page(body, page)


def list_settled_before(qonto: Qonto, bank_account_id: str, moment: datetime, page: int = 1) -> Page:
    """Return completed rows that settled before a moment, or at it, the newest first."""
    body = qonto.body(
        PATH,
        {
            "bank_account_id": bank_account_id,
            "status[]": "completed",
            "sort_by": "settled_at:desc",
            "settled_at_to": in_milliseconds(moment),
            "page": str(page),
            "per_page": str(PAGE),
        },
    )
    return _page(body, page)


def _page(body: bytes, number: int) -> Page:
    found = decode_rows(body, Transaction, UnreadableTransaction, CALL, "transactions")
    more = is_followed(body, CALL, number, len(found) + len(found.unreadable))
    return Page(list(found), found.unreadable, more)


def in_milliseconds(moment: datetime) -> str:
    """Return a moment as Qonto writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_cents(amount: Decimal) -> int | None:
    """Return an amount in whole cents, `None` for one that is no amount of money."""
    if not amount.is_finite() or amount.copy_abs() >= BIGINT // 100:
        return None
    return int((amount * 100).to_integral_value(ROUND_HALF_UP))
