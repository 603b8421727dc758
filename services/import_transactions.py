"""Read Qonto's new transactions and remember each as a posting, before anything is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from clients.qonto.transactions import Page, Transaction
from domain.balance_chain import Settled, first_break
from domain.bank_transaction import deep_link
from domain.calendar import local_date
from domain.money import signed
from domain.reasons import Held
from domain.text import storable
from models.bank_account import BankAccount, advance_cursor, cursor_of, store_chain
from models.posting import insert_new, newest_settled
from models.quarantine import quarantine
from models.states import PostingState
from models.sync_run import count_imported
from services.job import Job
from services.read_transactions import exclusion, read_from, walk

REREAD = timedelta(days=1)  # how far before a broken balance to read again
CHAIN_ROWS = 2_000  # how far back the balance chain is checked each time


def import_transactions(job: Job, account: BankAccount) -> bool:
    """Store what is new in one bank account; whether the end was reached (if not, the next turn goes on).

    The cursor moves only with the rows of its page, in one transaction; reading any window twice stores nothing twice.
    When Qonto's balances then do not chain, a row is missing: it is read again from there, and if that does not help
    the place is remembered and shown.
    """
    cursor = cursor_of(job.connection.id, account.id)
    if not _import(job, account, read_from(job.connection, cursor)):
        return False
    broken = _chain_break(job, account)
    if broken and _import(job, account, broken.settled_at - REREAD):
        broken = _chain_break(job, account)
    if broken:
        job.notes.append(f"account {account.id}: Qonto's balances do not chain at {broken.transaction_id}")
    broken_at = broken.transaction_id if broken else ""
    if broken_at != (cursor.chain_broken_at if cursor else ""):
        with job.holding():
            store_chain(job.connection.id, account.id, broken_at)
    return True


def _import(job: Job, account: BankAccount, updated_from: datetime) -> bool:
    for page in walk(job.qonto, account.id, updated_from):
        _store(job, account, page)
        if page.more and job.time_is_up():
            return False
    return True


def _store(job: Job, account: BankAccount, page: Page) -> None:
    now = job.now()
    settled = [row for row in page.rows if row.settled_at]  # what has not settled yet comes again when it has
    rows = [_posting(job, account, row) for row in settled]
    with job.holding():
        new = insert_new(rows, now)
        for unreadable in page.unreadable:
            quarantine(f"Qonto account {account.id}", unreadable.payload, unreadable.problem, now)
        if page.rows:
            advance_cursor(job.connection.id, account.id, max(row.updated_at for row in page.rows))
        count_imported(job.run.id, new)


def _posting(job: Job, account: BankAccount, row: Transaction) -> dict[str, Any]:
    state, reason = _first_state(job, account, row)
    settled_at = row.settled_at or row.updated_at
    return {
        "tenant_id": job.tenant_id,
        "transaction_id": row.id,
        "organisation_id": job.organisation.id,
        "connection_id": job.connection.id,
        "bank_account_id": account.id,
        "state": state,
        "reason": reason,
        "side": row.side,
        "amount_cents": row.amount_cents,
        "currency": row.currency,
        "local_amount_cents": row.amount_cents if row.local_amount_cents is None else row.local_amount_cents,
        "local_currency": row.local_currency or row.currency,
        "operation_type": storable(row.operation_type),
        "label": storable(row.label),
        "counterparty": storable(row.clean_counterparty_name),
        "reference": storable(row.reference),
        "card_last_digits": storable(row.card_last_digits),
        "url": deep_link(job.app_url, row.id),
        "settled_at": settled_at,
        "settled_balance_cents": row.settled_balance_cents,
        "date": local_date(settled_at, job.organisation.time_zone),
    }


def _first_state(job: Job, account: BankAccount, row: Transaction) -> tuple[PostingState, str]:
    excluded = exclusion(job.connection, row, is_external=account.is_external)
    if excluded:
        return PostingState.EXCLUDED, excluded
    if row.currency != account.currency:
        return PostingState.HELD, Held.CURRENCY_DIFFERS
    return PostingState.DUE, ""


def _chain_break(job: Job, account: BankAccount) -> Settled | None:
    """Where Qonto's balances stop following from each other among the newest rows, if anywhere."""
    newest = newest_settled(job.tenant_id, account.id, job.connection.starts_at, CHAIN_ROWS)
    return first_break(Settled(key, at, signed(side, cents), balance) for key, at, side, cents, balance in newest)
