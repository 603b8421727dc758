"""Qonto's bank accounts, read and remembered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from msgspec.structs import replace

from clients.qonto.bank_accounts import QontoAccount, UnreadableAccount, list_bank_accounts
from domain.following import is_read_for_good
from domain.reasons import Noted
from domain.text import storable
from models.awaited_transaction import ANOTHER_NIGHT
from models.bank_account import BankAccount, accounts_not_listed, cursor_of, store_unread, whole_readings
from models.quarantine import digest_of, quarantine
from services.create_account import last_four
from services.job import Job

ACCOUNTS = "Qonto accounts of "  # what the quarantine calls the source, with the organisation's id
AHEAD = timedelta(hours=1)  # the most that Qonto's clock may be ahead of ours: a later version is not believed
UNREADABLE = "unreadable"  # the status of an account that has never been read


def read_and_store_accounts(job: Job) -> list[QontoAccount]:
    """The accounts as they count: the newest version of each that was ever read, whatever order they are read in.

    One that cannot be read is noted, shown as unread, and put into quarantine; it holds up no other. One that Qonto
    lists no more is noted and shown as unread, unless it was closed and read for good.
    """
    in_qonto = list_bank_accounts(job.qonto)
    with job.holding():
        to_store = [account for account in in_qonto if not _is_suddenly_external(job, account)]
        for account in in_qonto:
            if account in to_store:
                _store_account(job, account)
            else:
                job.notes.append(f"account {account.id}: Qonto says that it is at another bank now")
                store_unread(job.connection, account.id, Noted.ACCOUNT_UNREADABLE, job.now())
        for unreadable in in_qonto.unreadable:
            _store_unreadable(job, unreadable)
        _store_not_listed(job, {one.id for one in in_qonto} | {one.id for one in in_qonto.unreadable})
        stored = {row.id: row for row in BankAccount.select().where(BankAccount.id.in_([one.id for one in to_store]))}
    return [_newest(account, stored[account.id]) for account in to_store]


def _is_suddenly_external(job: Job, account: QontoAccount) -> bool:
    """Return whether a known account at Qonto is said to be at another bank, and was not on another night."""
    ours = (BankAccount.id == account.id) & (BankAccount.organisation_id == job.organisation.id)
    stored = BankAccount.get_or_none(ours & ~BankAccount.is_external & (BankAccount.status != UNREADABLE))
    if stored is None or not account.is_external_account:
        return False
    cursor = cursor_of(job.connection.id, account.id)
    if cursor is None or cursor.unread_since is None or cursor.unread_reason != Noted.ACCOUNT_UNREADABLE:
        return True
    return bool(job.now() - cursor.unread_since < ANOTHER_NIGHT)


def _store_account(job: Job, account: QontoAccount) -> None:
    known = {
        "name": storable(account.name),
        "iban_last4": last_four(account),
        "currency": account.currency,
        "status": account.status,
        "is_external": account.is_external_account,
    }
    where = BankAccount.organisation_id == job.organisation.id
    if account.updated_at:  # hidden from some roles
        version = min(account.updated_at, job.now() + AHEAD)
        known["updated_at"] = version
        where &= BankAccount.updated_at.is_null() | (BankAccount.updated_at <= version)
    BankAccount.insert(id=account.id, organisation_id=job.organisation.id, **known).on_conflict(
        conflict_target=[BankAccount.id], update=known, where=where
    ).execute()


def _store_unreadable(job: Job, row: UnreadableAccount) -> None:
    """Its balance changes each day, so the quarantine tells it apart by its id and what is wrong with it."""
    source, now = ACCOUNTS + job.organisation.id, job.now()
    digest = digest_of(source, f"{row.id}: {row.problem}".encode()) if row.id else ""
    quarantine(source, row.payload, row.problem, now, digest=digest, seal=job.seal)
    if row.is_external:
        return
    job.notes.append(f"account {row.id or 'without an id'}: Qonto's answer about it cannot be read: {row.problem}")
    if row.id:
        BankAccount.insert(
            id=row.id, organisation_id=job.organisation.id, name=row.name, currency="", status=UNREADABLE
        ).on_conflict_ignore().execute()
        store_unread(job.connection, row.id, Noted.ACCOUNT_UNREADABLE, now)


def _store_not_listed(job: Job, listed: Collection[str | None]) -> None:
    whole = whole_readings(job.connection.id)
    for account in accounts_not_listed(job.organisation.id, listed):
        if not is_read_for_good(account.status, account.updated_at, whole.get(account.id)):
            job.notes.append(f"account {account.id}: Qonto does not list it any more")
            store_unread(job.connection, account.id, Noted.ACCOUNT_NOT_LISTED, job.now())


def _newest(account: QontoAccount, stored: BankAccount) -> QontoAccount:
    if account.updated_at is None or stored.updated_at is None or stored.updated_at <= account.updated_at:
        return account
    return replace(account, name=stored.name, status=stored.status, updated_at=stored.updated_at)
