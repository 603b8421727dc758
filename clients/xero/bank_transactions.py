"""Bank transactions: created in batches, read back in pages, always matched by `Url`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from clients.decoding import decode, encode
from clients.errors import Temporary
from clients.http import Answer
from clients.xero.client import Xero, validation_messages
from settings import Secret

NO_ID = "00000000-0000-0000-0000-000000000000"  # what Xero echoes for an element it did not create
PAGE = 1000  # the most Xero gives
MOST_PAGES = 200  # above 100,000 rows Xero refuses the list anyway
ONE_BAD_ROW_HOLDS_NO_OTHER = {"summarizeErrors": "false"}


class _Account(msgspec.Struct):
    account_id: str = msgspec.field(name="AccountID", default="")


class BankTransaction(msgspec.Struct, rename="pascal"):
    """A row as Xero answers it, created or refused. `total` is exact and positive."""

    bank_transaction_id: str = msgspec.field(name="BankTransactionID", default=NO_ID)
    type: str = ""
    status: str = ""
    url: str = ""
    total: Decimal = Decimal(0)
    bank_account: _Account = msgspec.field(default_factory=_Account)
    status_attribute_string: str = "OK"
    validation_errors: list[Any] = []

    @property
    def is_created(self) -> bool:
        return self.status_attribute_string != "ERROR" and self.bank_transaction_id != NO_ID

    @property
    def is_deleted(self) -> bool:
        return self.status in {"DELETED", "VOIDED"}

    @property
    def messages(self) -> list[str]:
        """Why Xero refused it, in Xero's words."""
        return validation_messages(self.validation_errors)


class _Pagination(msgspec.Struct, rename="camel"):
    page_count: int = 0


class _Answer(msgspec.Struct, rename="pascal"):
    bank_transactions: list[BankTransaction]
    pagination: _Pagination | None = msgspec.field(name="pagination", default=None)


def freeze(elements: Sequence[dict[str, Any]]) -> bytes:
    """The exact bytes of a request that creates these elements."""
    return encode({"BankTransactions": list(elements)})


def put_bank_transactions(xero: Xero, token: Secret, body: bytes, key: str, not_after: float) -> Answer:
    """Send a frozen request, once, for which the budget was asked; `read_created` reads the answer.

    Any thread may call it: it touches nothing but the network. Raises Temporary, and TooLate after `not_after`.
    """
    return xero.ask(
        token,
        "PUT",
        "/BankTransactions",
        params=ONE_BAD_ROW_HOLDS_NO_OTHER,
        body=body,
        key=key,
        not_after=not_after,
    )


def read_created(xero: Xero, answered: Callable[[], Answer]) -> list[BankTransaction]:
    """What came of a frozen request. Each element speaks for itself; match them by `url`, not by position.

    Raises AccessExpired too: sending again, even for that, is for whoever keeps the record of what was sent.
    """
    answer = xero.outcome("PUT /BankTransactions", answered)
    return decode(answer.body, _Answer, "Xero PUT /BankTransactions").bank_transactions


Ask = Callable[[], Answer]


def list_bank_transactions(
    xero: Xero, modified_since: datetime | None = None, patiently: Callable[[Ask], Answer] = lambda ask: ask()
) -> Iterator[BankTransaction]:
    """Every row created or changed since a moment, deleted ones too. Pages after the first are asked for `patiently`.

    In order of id, which nobody can change: while the pages are read, edits only add rows and so hide none. The
    listing is complete when the iterator ends; until then nothing may be concluded from a row that was not in it.
    """
    for page in range(1, MOST_PAGES + 1):
        params = {"order": "BankTransactionID", "page": str(page), "pageSize": str(PAGE)}

        def ask(params: dict[str, str] = params) -> Answer:
            return xero.call("GET", "/BankTransactions", params=params, modified_since=modified_since)

        answer = ask() if page == 1 else patiently(ask)
        read = decode(answer.body, _Answer, "Xero GET /BankTransactions")
        yield from read.bank_transactions
        pages = read.pagination.page_count if read.pagination else None
        if len(read.bank_transactions) < PAGE if pages is None else page >= pages:
            return
    raise Temporary("Xero GET /BankTransactions", f"more than {MOST_PAGES} pages")
