"""An account's opening balance: what it held in Qonto before the first transaction that is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clients.errors import Permanent, Unreadable
from clients.qonto.bank_accounts import QontoAccount
from clients.qonto.client import Qonto
from clients.qonto.transactions import list_settled_before
from domain.balance_chain import Settled, closing_balance
from domain.money import signed
from models.bank_account import BankAccount
from models.opening_balance import OpeningBalance, Source, store_opening, stored_opening
from models.organisation import first_start
from models.posting_version import sum_in_qonto
from services.job import Job

MOST_PAGES = 5  # of rows that all settled at the very moment of the start


@dataclass(frozen=True)
class Opening:
    """Cents just before `starts_at`, and where they come from."""

    starts_at: datetime
    cents: int
    source: Source


def keep_opening(job: Job, account: BankAccount) -> None:
    """Store an account's opening balance, once for each start. What Qonto does not tell now it is asked again."""
    starts_at = first_start(job.organisation.id, job.tenant_id) or job.connection.starts_at
    stored = stored_opening(job.tenant_id, account.id)
    if account.is_external or (stored and is_final(stored, starts_at)):
        return
    try:
        opening = ask_opening(job.qonto, stored, account.id, starts_at)
    except (Permanent, Unreadable):
        return  # the transactions themselves are read next, and say so
    if opening:
        with job.holding():
            store_opening(job.tenant_id, account.id, opening.starts_at, opening.cents, opening.source)


def adds_up(tenant_id: str, account: QontoAccount) -> bool:
    """Return whether what is stored of an account explains its balance in Qonto, as far as that can be told."""
    opening = stored_opening(tenant_id, account.id)
    if opening is None or account.balance_cents is None:
        return True
    stored = sum_in_qonto(tenant_id, account.id, opening.starts_at)
    return bool(opening.cents + stored == account.balance_cents)


def is_final(stored: OpeningBalance, starts_at: datetime) -> bool:
    """Return whether a stored balance is that of this start, by what Qonto says of earlier rows."""
    return stored.starts_at == starts_at and stored.source != Source.CONNECTING


def opening_of(qonto: Qonto, tenant_id: str, bank_account_id: str, starts_at: datetime) -> Opening | None:
    """Return the stored opening balance, or ask Qonto for it; `None` when it cannot be told now."""
    stored = stored_opening(tenant_id, bank_account_id)
    if stored and is_final(stored, starts_at):
        return Opening(stored.starts_at, stored.cents, Source(stored.source))
    return ask_opening(qonto, stored, bank_account_id, starts_at)


def ask_opening(
    qonto: Qonto, stored: OpeningBalance | None, bank_account_id: str, starts_at: datetime
) -> Opening | None:
    """Return the balance after the last row that settled before the start; `None` when it cannot be told now.

    Where nothing settled earlier, the account held what it did when it was connected, if that was the start; an account
    of which an earlier start is asked for was empty then.
    """
    for page in range(1, MOST_PAGES + 1):
        found = list_settled_before(qonto, bank_account_id, starts_at, page)
        if found.unreadable or any(row.settled_at is None for row in found.rows):
            return None
        earlier = [
            Settled(row.id, row.settled_at, signed(row.side, row.amount_cents), row.settled_balance_cents)
            for row in found.rows
            if row.settled_at and row.settled_at < starts_at
        ]
        if earlier:
            cents = closing_balance(earlier)
            return None if cents is None else Opening(starts_at, cents, Source.EARLIER_ROW)
        if not found.more:
            is_from_start = stored is not None and stored.starts_at == starts_at
            return Opening(starts_at, stored.cents if stored and is_from_start else 0, Source.NO_EARLIER_ROW)
    return None
