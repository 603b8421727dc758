"""Each active Qonto account has exactly one live account of ours in Xero, and lines have an account to be coded to."""

from __future__ import annotations

from msgspec.structs import replace

from clients.errors import Permanent, Temporary
from clients.qonto.bank_accounts import QontoAccount, list_bank_accounts
from clients.xero.accounts import list_accounts
from domain.account_choice import Create, KnownLink, Use, choose
from domain.marks import account_mark
from domain.reasons import Gone
from domain.text import storable
from models.bank_account import AccountLink, BankAccount, newest_links
from models.states import LinkState
from services.chart import Chart
from services.coding_account import provision_coding_account
from services.create_account import create_account, intend_link, last_four, store_link
from services.job import Job


def provision_accounts(job: Job) -> tuple[Chart, list[QontoAccount]]:
    """Create what is missing in Xero, and again what a person deleted or archived there; one read for all accounts.

    A refusal or an outage for one account is noted in the job and holds no other. Returns Xero's chart of accounts, and
    Qonto's bank accounts.
    """
    in_qonto = _store_accounts(job, list_bank_accounts(job.qonto))
    chart = Chart(list_accounts(job.xero))
    links = newest_links(job.tenant_id, job.organisation.id)
    for account in in_qonto:
        try:
            _provision(job, account, links.get(account.id), chart)
        except (Temporary, Permanent) as error:
            job.problems.append(f"account {account.id}: {error}")
    provision_coding_account(job, chart)
    return chart, in_qonto


def _store_accounts(job: Job, in_qonto: list[QontoAccount]) -> list[QontoAccount]:
    """The accounts as they count: the newest version of each that was ever read, whatever order they are read in."""
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


def _provision(job: Job, account: QontoAccount, link: AccountLink | None, chart: Chart) -> None:
    known = KnownLink(link.generation, link.xero_account_id) if link else None
    choice = choose(account.id, account.status, account.is_external_account, known, chart.by_code(), chart.by_id())
    if isinstance(choice, Use):
        _keep(job, account, link, choice)
        return
    if link and link.state == LinkState.LIVE:
        store_link(job, link, LinkState.GONE, reason=Gone.DELETED)
    if isinstance(choice, Create):
        create_account(job, account, choice.generation, chart)


def _keep(job: Job, account: QontoAccount, link: AccountLink | None, choice: Use) -> None:
    if link and link.generation == choice.generation:
        if link.state != LinkState.LIVE or link.xero_account_id != choice.account_id:
            store_link(job, link, LinkState.LIVE, xero_account_id=choice.account_id)
        return
    code = account_mark(account.id, choice.generation)
    found = intend_link(job, account, choice.generation, code, storable(account.name))
    store_link(job, found, LinkState.LIVE, xero_account_id=choice.account_id)
