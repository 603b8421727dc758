"""Read Qonto's new transactions and remember each as a posting, before anything is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.balance_chain import Settled, first_break
from domain.money import signed
from models.awaited_transaction import awaited_of, note_missing
from models.bank_account import BankAccount, cursor_of, store_chain
from models.posting import newest_settled
from services.account_drift import explain_drift
from services.job import Job
from services.opening_balance import keep_opening
from services.read_transactions import around, last_moment, read_from, walk
from services.store_transactions import store_page

REREAD = timedelta(days=1)  # how far before a broken balance to read again
CHAIN_ROWS = 2_000  # how far back the balance chain is checked each time


def import_transactions(job: Job, account: BankAccount, balance_cents: int | None) -> bool:
    """Store what is new in one bank account; whether the end was reached (if not, the next turn goes on).

    `balance_cents` is what the account held when the accounts were read, if Qonto shows it.

    The cursor moves only with the rows of its page, in one transaction; reading any window twice stores nothing twice.
    When Qonto's balances then do not chain, a row is missing: it is read again from there, and if that does not help
    the place is remembered and shown.
    """
    keep_opening(job, account)
    cursor = cursor_of(job.connection.id, account.id)
    updated_from = read_from(job.connection, cursor)
    seen: set[str] = set()
    if not _import(job, account, updated_from, seen) or not _import_awaited(job, account, updated_from, seen):
        return False
    explain_drift(job, account, balance_cents)
    broken = _chain_break(job, account)
    if broken and _import(job, account, broken.settled_at - REREAD, seen):
        broken = _chain_break(job, account)
    if broken:
        job.notes.append(f"account {account.id}: Qonto's balances do not chain at {broken.transaction_id}")
    broken_at = broken.transaction_id if broken else ""
    if broken_at != (cursor.chain_broken_at if cursor else ""):
        with job.holding():
            store_chain(job.connection.id, account.id, broken_at)
    return True


def _import(job: Job, account: BankAccount, updated_from: datetime, seen: set[str]) -> bool:
    """Store every page from a moment on; whether the end was reached."""
    began_at = job.now()
    for page in walk(job.qonto, account.id, updated_from):
        seen |= store_page(job, account, page, read_until=began_at, place=updated_from)
        if page.more and job.time_is_up():
            return False
    return True


def _import_awaited(job: Job, account: BankAccount, updated_from: datetime, seen: set[str]) -> bool:
    """Read again what was listed and could not be stored, where it stood in Qonto's list; whether all of it was.

    What stood there and is neither there now nor among what was updated since is missing.
    """
    awaited = awaited_of(job.tenant_id, account.id)
    reached = datetime.min.replace(tzinfo=UTC)
    for moment in sorted({row.updated_at for row in awaited if row.updated_at < updated_from}):
        if moment <= reached:
            continue
        if job.time_is_up():
            return False
        for page in around(job.qonto, account.id, moment):
            seen |= store_page(job, account, page, place=moment)
            reached = max(reached, last_moment(page, job.now()) or moment)
    missing = [row for row in awaited if row.transaction_id not in seen]
    if missing:
        with job.holding():
            note_missing(job.tenant_id, account.id, missing, job.now())
    return True


def _chain_break(job: Job, account: BankAccount) -> Settled | None:
    """Where Qonto's balances stop following from each other among the newest rows, if anywhere."""
    newest = newest_settled(job.tenant_id, account.id, job.connection.starts_at, CHAIN_ROWS)
    return first_break(Settled(key, at, signed(side, cents), balance) for key, at, side, cents, balance in newest)
