"""`GET /v2/bank_accounts`: an organisation's accounts, with what the reader's role lets us see."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from clients.errors import Temporary
from clients.qonto.client import Qonto
from clients.qonto.transactions import Moment

PAGE = 100
MOST_PAGES = 50  # 5,000 accounts; Qonto's largest plan has 25


class QontoAccount(msgspec.Struct):
    """A bank account. `status` is open-ended: only `active` means active. `iban` may be hidden from some roles."""

    id: str
    name: str
    status: str
    currency: str = "EUR"
    iban: str | None = None
    balance_cents: int | None = None
    is_external_account: bool = False
    updated_at: Moment | None = None


class _Answer(msgspec.Struct):
    bank_accounts: list[QontoAccount]


def list_bank_accounts(qonto: Qonto) -> list[QontoAccount]:
    """Every account, closed and external ones too."""
    return [account for page in _pages(qonto) for account in page]


def _pages(qonto: Qonto) -> Iterator[list[QontoAccount]]:
    for page in range(1, MOST_PAGES + 1):
        found = qonto.get("/v2/bank_accounts", _Answer, {"page": str(page), "per_page": str(PAGE)}).bank_accounts
        yield found
        if len(found) < PAGE:
            return
    raise Temporary("Qonto GET /v2/bank_accounts", f"more than {MOST_PAGES} full pages")
