"""Qonto's bank accounts, read and remembered."""

from __future__ import annotations

from msgspec.structs import replace

from clients.qonto.bank_accounts import QontoAccount, list_bank_accounts
from domain.text import storable
from models.bank_account import BankAccount
from services.create_account import last_four
from services.job import Job


def read_and_store_accounts(job: Job) -> list[QontoAccount]:
    """The accounts as they count: the newest version of each that was ever read, whatever order they are read in."""
    in_qonto = list_bank_accounts(job.qonto)
    with job.holding():
        for account in in_qonto:
            _store_account(job, account)
        stored = {row.id: row for row in BankAccount.select().where(BankAccount.id.in_([one.id for one in in_qonto]))}
    return [_newest(account, stored[account.id]) for account in in_qonto]


def _store_account(job: Job, account: QontoAccount) -> None:
    known = {
        "name": storable(account.name),
        "iban_last4": last_four(account),
        "currency": account.currency,
        "status": account.status,
        "is_external": account.is_external_account,
    }
    if account.updated_at:  # hidden from some roles
        known["updated_at"] = account.updated_at
    ours = BankAccount.organisation_id == job.organisation.id
    newer = BankAccount.updated_at.is_null() | (BankAccount.updated_at <= account.updated_at)
    BankAccount.insert(id=account.id, organisation_id=job.organisation.id, **known).on_conflict(
        conflict_target=[BankAccount.id], update=known, where=ours & newer if account.updated_at else ours
    ).execute()


def _newest(account: QontoAccount, stored: BankAccount) -> QontoAccount:
    if account.updated_at is None or stored.updated_at is None or stored.updated_at <= account.updated_at:
        return account
    return replace(account, name=stored.name, status=stored.status, updated_at=stored.updated_at)
