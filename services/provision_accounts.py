"""Each active Qonto account has exactly one live account of ours in Xero, and lines have an account to be coded to."""

from __future__ import annotations

from clients.errors import Permanent, Temporary
from clients.qonto.bank_accounts import QontoAccount
from clients.xero.accounts import list_accounts
from domain.account_choice import Create, KnownLink, Use, choose
from domain.marks import account_mark
from domain.reasons import Gone
from domain.text import storable
from models.bank_account import AccountLink, newest_links
from models.states import LinkState
from services.chart import Chart
from services.coding_account import provision_coding_account
from services.create_account import create_account, intend_link, store_link
from services.job import Job
from services.store_accounts import read_and_store_accounts


def provision_accounts(job: Job) -> tuple[Chart, list[QontoAccount]]:
    """Create what is missing in Xero, and again what a person deleted or archived there; one read for all accounts.

    A refusal or an outage for one account is noted in the job and holds no other. Returns Xero's chart of accounts, and
    Qonto's bank accounts.
    """
    in_qonto = read_and_store_accounts(job)
    chart = Chart(list_accounts(job.xero))
    links = newest_links(job.tenant_id, job.organisation.id)
    for account in in_qonto:
        try:
            _provision(job, account, links.get(account.id), chart)
        except (Temporary, Permanent) as error:
            job.problems.append(f"account {account.id}: {error}")
    provision_coding_account(job, chart)
    return chart, in_qonto


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
