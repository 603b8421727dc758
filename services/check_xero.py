"""Xero's side of a check: every row of ours, with its day and currency, and every account of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from urllib.parse import unquote

import msgspec

from clients.decoding import decode
from clients.xero.bank_transactions import MOST_PAGES, PAGE, BankTransaction
from clients.xero.client import Xero
from domain.bank_transaction import deep_link
from domain.ledger_check import InLedger
from domain.money import to_cents

MILLISECONDS = re.compile(r"\((\d{1,15})")


class _DatedRow(BankTransaction, rename="pascal"):
    """`date_string` is the day at midnight, `currency_code` the account's; `updated` is a moment in Xero's notation."""

    date_string: str = ""
    currency_code: str = ""
    updated: str = msgspec.field(name="UpdatedDateUTC", default="")


class _Pagination(msgspec.Struct, rename="camel"):
    page_count: int = 0


class _Answer(msgspec.Struct, rename="pascal"):
    bank_transactions: list[_DatedRow]
    pagination: _Pagination | None = msgspec.field(name="pagination", default=None)


class TooLong(Exception):
    """A ledger has more pages than whoever asks wants to read."""


def read_ledger(
    xero: Xero, app_url: str, homes: Mapping[str, str], known: Mapping[str, str], most_pages: int = MOST_PAGES
) -> list[InLedger]:
    """Every row that carries a link of ours, or that we remember by its id, deleted ones too: a call for 1,000 rows.

    Raises TooLong as soon as it is known that there are more than `most_pages`.

    `homes` gives the Qonto account of each Xero account of ours; `known` the transaction of each bank transaction.
    """
    prefix = deep_link(app_url, "")
    found = []
    for row in _rows(xero, most_pages):
        transaction_id = unquote(row.url.removeprefix(prefix)) if row.url.startswith(prefix) else ""
        if transaction_id or row.bank_transaction_id in known:
            found.append(_in_ledger(xero.tenant_id, row, transaction_id, homes))
    return found


def _in_ledger(tenant_id: str, row: _DatedRow, transaction_id: str, homes: Mapping[str, str]) -> InLedger:
    return InLedger(
        tenant_id=tenant_id,
        id=row.bank_transaction_id,
        transaction_id=transaction_id,
        account=homes.get(row.bank_account.account_id, ""),
        side="credit" if row.type.startswith("RECEIVE") else "debit",
        cents=to_cents(row.total),
        currency=row.currency_code,
        date=date.fromisoformat(row.date_string[:10]),
        is_deleted=row.is_deleted,
        changed_at=_moment(row.updated),
    )


def _moment(told: str) -> datetime | None:
    """Xero's own notation, milliseconds since 1970 within other characters; `None` for any other."""
    found = MILLISECONDS.search(told)
    return datetime.fromtimestamp(int(found[1]) / 1000, UTC) if found else None


def _rows(xero: Xero, most_pages: int) -> Iterator[_DatedRow]:
    for page in range(1, most_pages + 1):
        params = {"order": "BankTransactionID", "page": str(page), "pageSize": str(PAGE)}
        answer = xero.call("GET", "/BankTransactions", params=params)
        read = decode(answer.body, _Answer, "Xero GET /BankTransactions")
        yield from read.bank_transactions
        pages = read.pagination.page_count if read.pagination else None
        if len(read.bank_transactions) < PAGE if pages is None else page >= pages:
            return
        if pages is not None and pages > most_pages:
            break
    raise TooLong(f"Xero GET /BankTransactions: more than {most_pages} pages")
