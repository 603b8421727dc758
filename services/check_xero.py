"""Xero's side of a check: every row of ours, with its day and currency, and every account of ours."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from clients.xero.bank_transactions import MOST_PAGES, BankTransaction, list_bank_transactions, refuse_links
from clients.xero.client import Xero
from domain.bank_transaction import deep_link
from domain.ledger_check import InLedger
from domain.money import to_cents


def read_ledger(
    xero: Xero, app_url: str, homes: Mapping[str, str], known: Mapping[str, str], most_pages: int = MOST_PAGES
) -> list[InLedger]:
    """Every row that carries a link of ours, or that we remember by its id, deleted ones too: a call for 1,000 rows.

    Raises TooManyPages as soon as it is known that there are more than `most_pages`, and Unreadable if a row that
    carries a link of ours cannot be read.

    `homes` gives the Qonto account of each Xero account of ours; `known` the transaction of each bank transaction.
    """
    prefix = deep_link(app_url, "")
    found = []
    for row in list_bank_transactions(
        xero, report=refuse_links(lambda url: url.startswith(prefix)), most_pages=most_pages
    ):
        transaction_id = unquote(row.url.removeprefix(prefix)) if row.url.startswith(prefix) else ""
        if transaction_id or row.bank_transaction_id in known:
            found.append(_in_ledger(xero.tenant_id, row, transaction_id, homes))
    return found


def _in_ledger(tenant_id: str, row: BankTransaction, transaction_id: str, homes: Mapping[str, str]) -> InLedger:
    return InLedger(
        tenant_id=tenant_id,
        id=row.bank_transaction_id,
        transaction_id=transaction_id,
        account=homes.get(row.bank_account.account_id, ""),
        side="credit" if row.type.startswith("RECEIVE") else "debit",
        cents=to_cents(row.total),
        currency=row.currency_code,
        date=row.day,
        is_deleted=row.is_deleted,
        changed_at=row.updated_at,
    )
