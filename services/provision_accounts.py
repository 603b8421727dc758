"""Each active Qonto account has exactly one live account of ours in Xero, and lines have an account to be coded to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from clients.errors import Permanent, Temporary, Unreadable
from clients.qonto.bank_accounts import QontoAccount
from domain.account_choice import CLOSED, Create, KnownLink, Use, choose
from domain.marks import account_mark
from domain.reasons import Gone, Held, LeftOut
from domain.text import storable
from models.bank_account import AccountLink, links_of
from models.organisation import Connection, default_account_of
from models.states import LinkState
from services.chart import NONE_SHOWN, Chart, has_waited_for_lists, read_chart
from services.coding_account import provision_coding_account
from services.create_account import create_account, intend_link, store_link
from services.job import Job
from services.left_out import accounts_with_rows, leave_out
from services.store_accounts import read_and_store_accounts

Links = Mapping[str, Sequence[AccountLink]]  # every generation, by bank account id


def provision_accounts(job: Job) -> tuple[Chart, list[QontoAccount]]:
    """Create what is missing in Xero, and again what a person deleted or archived there; one read for all accounts.

    A refusal or an outage for one account is noted in the job and holds no other. Returns Xero's chart of accounts, and
    Qonto's bank accounts.
    """
    in_qonto = read_and_store_accounts(job)
    links = links_of(job.tenant_id, job.organisation.id)
    chart = _read_chart(job, links)
    for account in in_qonto:
        _provision_alone(job, account, links.get(account.id, ()), chart, has_rows=False)
    provision_coding_account(job, chart)
    return chart, in_qonto


def provision_closed_accounts(job: Job, chart: Chart, in_qonto: Iterable[QontoAccount]) -> None:
    """Create for its transactions what was closed in Qonto before it ever was in Xero, and leave out those of accounts
    that a person took out of Xero. Call it when the transactions have been read.
    """
    closed = [account for account in in_qonto if account.status == CLOSED]
    if not closed:
        return
    links, with_rows = links_of(job.tenant_id, job.organisation.id), accounts_with_rows(job)
    for account in closed:
        generations = links.get(account.id, ())
        if account.id in with_rows and not any(link.state == LinkState.LIVE for link in generations):
            _provision_alone(job, account, generations, chart, has_rows=True)


def _provision_alone(
    job: Job, account: QontoAccount, links: Sequence[AccountLink], chart: Chart, *, has_rows: bool
) -> None:
    """Provision one account; note what goes wrong with it."""
    try:
        _provision(job, account, links, chart, has_rows=has_rows)
    except (Unreadable, Permanent, LookupError) as error:
        job.notes.append(f"account {account.id}: {error}")
        _hold_unfinished(job, account.id)
    except Temporary as error:
        job.problems.append(f"account {account.id}: {error}")


def _hold_unfinished(job: Job, bank_account_id: str) -> None:
    """Say of an account that could not be asked for to the end that it waits. The next run asks again."""
    for link in links_of(job.tenant_id, job.organisation.id).get(bank_account_id, ()):
        if link.state == LinkState.CREATING:
            store_link(job, link, LinkState.HELD, reason=Held.NO_ACCOUNT)


def _read_chart(job: Job, links: Links) -> Chart:
    all_links = [link for generations in links.values() for link in generations]
    default_account_id = default_account_of(job.connection)
    in_use = {link.xero_account_id for link in all_links if link.state == LinkState.LIVE} | {default_account_id}
    known = {link.xero_account_id for link in all_links} | {default_account_id} | _codes(job.connection)
    return read_chart(job.xero, in_use - {""}, set() if has_waited_for_lists(job, NONE_SHOWN) else known - {""})


def _codes(connection: Connection) -> set[str]:
    return {connection.money_in_code, connection.money_out_code, connection.fees_code, connection.default_code}


def _provision(job: Job, account: QontoAccount, links: Sequence[AccountLink], chart: Chart, *, has_rows: bool) -> None:
    for link in links:
        if link.state == LinkState.LIVE and link.xero_account_id in chart.unclear:
            raise chart.unclear[link.xero_account_id]
    if account.is_external_account:
        return
    known = [KnownLink(link.generation, link.xero_account_id) for link in links]
    there = chart.by_code(), chart.by_id()
    choice = choose(account.id, account.status, account.is_external_account, known, *there, has_rows=has_rows)
    _let_go(job, links, chart, choice.generation if isinstance(choice, Use) else None)
    if isinstance(choice, Use):
        _keep(job, account, links, choice)
    elif isinstance(choice, Create):
        create_account(job, account, choice.generation, chart)
    elif choice.why == LeftOut.GONE and has_rows:
        leave_out(job, account.id)


def _let_go(job: Job, links: Sequence[AccountLink], chart: Chart, kept: int | None) -> None:
    """Mark the links gone whose Xero account is gone, or is not the one that is posted to from now on."""
    active = chart.active_ids()
    for link in links:
        if link.generation == kept or link.state == LinkState.GONE:
            continue
        if link.state == LinkState.LIVE and link.xero_account_id not in active:
            store_link(job, link, LinkState.GONE, reason=Gone.DELETED)
        elif kept is not None:
            store_link(job, link, LinkState.GONE, reason=Gone.REPLACED)


def _keep(job: Job, account: QontoAccount, links: Sequence[AccountLink], choice: Use) -> None:
    link = next((link for link in links if link.generation == choice.generation), None)
    if link is None:
        code = account_mark(account.id, choice.generation)
        link = intend_link(job, account, choice.generation, code, storable(account.name))
    if link.state != LinkState.LIVE or link.xero_account_id != choice.account_id:
        store_link(job, link, LinkState.LIVE, xero_account_id=choice.account_id)
