"""Store one page of Qonto's list: each row as a posting, or as a transaction that is awaited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from clients.qonto.transactions import Page, Transaction, UnreadableTransaction
from domain.bank_transaction import deep_link
from domain.calendar import booking_date
from domain.money import signed
from domain.reasons import Awaited as Why
from domain.reasons import Held
from domain.text import storable
from models.awaited_transaction import Awaited, await_transactions, end_awaited
from models.bank_account import BankAccount, advance_cursor
from models.posting import insert_new
from models.quarantine import digest_of, quarantine
from models.states import PostingState
from models.sync_run import count_imported
from services.job import Job
from services.read_transactions import exclusion, last_moment
from services.store_changes import store_changes


def store_page(
    job: Job, account: BankAccount, page: Page, *, place: datetime, read_until: datetime | None = None
) -> set[str]:
    """Store a page and return the ids that it lists. Each row is a posting or awaited afterwards, so none is passed.

    The cursor goes to the page's last row, but not beyond `read_until`; it stays where it is without one, and where
    rows follow a page with a wrong moment. `place` is where a row belongs whose own place in the list cannot be read.
    """
    now = job.now()
    starts_at = job.connection.starts_at
    settled = [
        row for row in page.rows if row.settled_at and (account.is_external or why_awaited(row, starts_at) is None)
    ]
    rows = [_posting(job, account, row) for row in settled]
    awaited = [] if account.is_external else list(awaited_in(page, starts_at, place))
    with job.holding():
        new = insert_new(rows, now)
        if new < len(rows):
            awaited += store_changes(job, rows)
        for unreadable in page.unreadable:
            quarantine(f"Qonto account {account.id}", unreadable.payload, unreadable.problem, now)
        await_transactions(job.tenant_id, account.id, awaited, now)
        waiting = {row.transaction_id for row in awaited}
        end_awaited(job.tenant_id, account.id, [row.id for row in settled if row.id not in waiting], now)
        newest = max((row.updated_at for row in page.rows), default=None)
        last = last_moment(page, now) if page.more else newest
        if last and read_until:
            advance_cursor(job.connection.id, account.id, min(last, read_until))
        count_imported(job.run.id, new)
    return {row.id for row in settled} | {row.transaction_id for row in awaited}


def awaited_in(page: Page, starts_at: datetime, place: datetime | None = None) -> Iterator[Awaited]:
    """Yield what a page lists and cannot be stored: what is not completed or settled, and what cannot be read.

    What is known to have settled before the start is not waited for.
    """
    for row in page.rows:
        if why := why_awaited(row, starts_at):
            yield Awaited(row.id, why, row.updated_at, signed(row.side, row.amount_cents))
    for odd in page.unreadable:
        if odd.settled_at is None or odd.settled_at >= starts_at:
            yield Awaited(name_of(odd), Why.UNREADABLE, odd.updated_at or place or starts_at, _cents(odd))


def why_awaited(row: Transaction, starts_at: datetime) -> Why | None:
    """Return why a row that can be read is not stored yet, `None` if it is."""
    if row.is_external_transaction:
        return None
    if row.settled_at is None:
        return Why.NOT_SETTLED
    return Why.NOT_COMPLETED if row.status != "completed" and row.settled_at >= starts_at else None


def name_of(row: UnreadableTransaction) -> str:
    """Return Qonto's id of a row, or a digest of its bytes where that cannot be read."""
    return row.transaction_id or f"row:{digest_of('', row.payload)[:32]}"


def _cents(row: UnreadableTransaction) -> int | None:
    return None if row.side is None or row.amount_cents is None else signed(row.side, row.amount_cents)


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
        "date": booking_date(settled_at, job.organisation.time_zone),
        "updated_at": row.updated_at,
    }


def _first_state(job: Job, account: BankAccount, row: Transaction) -> tuple[PostingState, str]:
    excluded = exclusion(job.connection, row, is_external=account.is_external)
    if excluded:
        return PostingState.EXCLUDED, excluded
    if row.currency != account.currency:
        return PostingState.HELD, Held.CURRENCY_DIFFERS
    return PostingState.DUE, ""
