"""Each active Qonto account has exactly one live account of ours in Xero, and lines have an account to be coded to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from clients.errors import Permanent, Temporary
from clients.qonto.bank_accounts import QontoAccount, list_bank_accounts
from clients.xero.accounts import (
    CODE_TAKEN,
    CURRENCY_MISSING,
    NAME_TAKEN,
    XeroAccount,
    create_bank_account,
    create_coding_account,
    list_accounts,
)
from domain.account_choice import ACTIVE, Create, InXero, KnownLink, Use, choose
from domain.marks import account_mark, coding_mark
from domain.naming import free_name
from domain.reasons import Held
from domain.text import storable
from models.bank_account import AccountLink, BankAccount, newest_links
from models.organisation import Connection
from models.states import LinkState
from models.sync_run import SyncRun
from services.job import Job

TRIES = 5  # names and codes that somebody else may take between our read and our write
CODING_NAME = "Qonto: to be coded"
GENERATIONS = 20  # of the coding account, should somebody archive it again and again


@dataclass
class Chart:
    """Xero's chart of accounts as read once this turn, kept true to what we add."""

    accounts: list[XeroAccount]

    def by_code(self) -> dict[str, InXero]:
        return {account.code: _in_xero(account) for account in self.accounts if account.code}

    def by_id(self) -> dict[str, InXero]:
        return {account.account_id: _in_xero(account) for account in self.accounts}

    def names(self) -> set[str]:
        return {account.name for account in self.accounts}

    def active_codes(self) -> set[str]:
        return {account.code for account in self.accounts if account.code and account.status == ACTIVE}


def provision_accounts(job: Job) -> Chart:
    """Create what is missing in Xero, and again what a person deleted or archived there; one read for all accounts.

    A refusal or an outage for one account is noted in the job and holds no other. Returns Xero's chart of accounts.
    """
    in_qonto = list_bank_accounts(job.qonto)
    _store_accounts(job, in_qonto)
    chart = Chart(list_accounts(job.xero))
    links = newest_links(job.tenant_id, job.organisation.id)
    for account in in_qonto:
        try:
            _provision(job, account, links.get(account.id), chart)
        except (Temporary, Permanent) as error:
            job.problems.append(f"account {account.id}: {error}")
    _provision_coding_account(job, chart)
    return chart


def _store_accounts(job: Job, in_qonto: list[QontoAccount]) -> None:
    with job.holding():
        for account in in_qonto:
            known = {
                "name": storable(account.name),
                "iban_last4": (account.iban or "")[-4:],
                "currency": account.currency,
                "status": account.status,
                "is_external": account.is_external_account,
                "updated_at": account.updated_at,
            }
            BankAccount.insert(id=account.id, organisation_id=job.organisation.id, **known).on_conflict(
                conflict_target=[BankAccount.id],
                update=known,
                where=(BankAccount.organisation_id == job.organisation.id),
            ).execute()


def _provision(job: Job, account: QontoAccount, link: AccountLink | None, chart: Chart) -> None:
    known = KnownLink(link.generation, link.xero_account_id) if link else None
    choice = choose(account.id, account.status, account.is_external_account, known, chart.by_code(), chart.by_id())
    if isinstance(choice, Use):
        _keep(job, account, link, choice)
        return
    if link and link.state == LinkState.LIVE:
        _store_link(job, link, LinkState.GONE, reason="deleted_or_archived_in_xero")
    if isinstance(choice, Create):
        _create(job, account, choice.generation, chart)


def _keep(job: Job, account: QontoAccount, link: AccountLink | None, choice: Use) -> None:
    if link and link.generation == choice.generation:
        if link.state != LinkState.LIVE or link.xero_account_id != choice.account_id:
            _store_link(job, link, LinkState.LIVE, xero_account_id=choice.account_id)
        return
    code = account_mark(account.id, choice.generation)
    found = _new_link(job, account, choice.generation, code, storable(account.name))
    _store_link(job, found, LinkState.LIVE, xero_account_id=choice.account_id)


def _create(job: Job, account: QontoAccount, generation: int, chart: Chart) -> None:
    """Ask Xero until a name and a code are free. The link is stored first: a lost answer is found by its code."""
    for _ in range(TRIES):
        code = account_mark(account.id, generation)
        name = free_name(account.name, (account.iban or "")[-4:], chart.names())
        link = _new_link(job, account, generation, code, name)
        try:
            created = create_bank_account(
                job.xero,
                code=code,
                name=name,
                number=account.iban or code,
                currency=account.currency,
                key=_key(job, code, name),
            )
        except Permanent as error:
            words = " ".join(error.messages).lower()
            if CODE_TAKEN in words:
                chart.accounts = list_accounts(job.xero)
                found = chart.by_code().get(code)
                if found and found.status == ACTIVE:
                    _store_link(job, link, LinkState.LIVE, xero_account_id=found.account_id)
                    return
                _store_link(job, link, LinkState.GONE, reason="code_taken")
                generation += 1
            elif NAME_TAKEN in words:
                chart.accounts.append(XeroAccount(account_id="", name=name, type="BANK", status="ARCHIVED"))
            else:
                reason = Held.CURRENCY if CURRENCY_MISSING in words else Held.NO_ACCOUNT
                _store_link(job, link, LinkState.HELD, reason=reason)
                job.notes.append(f"account {account.id} is not in Xero: {'; '.join(error.messages) or error.problem}")
                return
        else:
            _store_link(job, link, LinkState.LIVE, xero_account_id=created.account_id)
            chart.accounts.append(created)
            with job.holding():
                SyncRun.update(accounts_created=SyncRun.accounts_created + 1).where(SyncRun.id == job.run.id).execute()
            return
    job.problems.append(f"account {account.id}: no free name or code in Xero after {TRIES} tries")


def _new_link(job: Job, account: QontoAccount, generation: int, code: str, name: str) -> AccountLink:
    where = (
        (AccountLink.tenant_id == job.tenant_id)
        & (AccountLink.bank_account_id == account.id)
        & (AccountLink.generation == generation)
    )
    with job.holding():
        AccountLink.insert(
            tenant_id=job.tenant_id,
            bank_account_id=account.id,
            generation=generation,
            code=code,
            name=name,
            state=LinkState.CREATING,
            created_at=job.now(),
        ).on_conflict(
            conflict_target=[AccountLink.tenant_id, AccountLink.bank_account_id, AccountLink.generation],
            update={AccountLink.name: name, AccountLink.state: LinkState.CREATING, AccountLink.reason: ""},
        ).execute()
        return AccountLink.get(where)


def _store_link(job: Job, link: AccountLink, state: LinkState, *, reason: str = "", xero_account_id: str = "") -> None:
    with job.holding():
        link.state, link.reason = state, reason
        link.xero_account_id = xero_account_id or link.xero_account_id
        link.save()


def _provision_coding_account(job: Job, chart: Chart) -> None:
    """The account that lines wait in until an accountant codes them; only made when the connection needs one."""
    connection = job.connection
    if connection.money_in_code and connection.money_out_code and connection.fees_code:
        return
    code = _active_coding_code(job, chart) or _create_coding_account(job, chart)
    if code != connection.default_code:
        with job.holding():
            Connection.update(default_code=code).where(Connection.id == connection.id).execute()
        connection.default_code = code


def _active_coding_code(job: Job, chart: Chart) -> str:
    marks = {coding_mark(job.organisation.id, generation) for generation in range(1, GENERATIONS + 1)}
    return next(iter(sorted(marks & chart.active_codes())), "")


def _create_coding_account(job: Job, chart: Chart) -> str:
    """The new account's Code; empty when Xero does not make it now, which holds the lines and nothing else."""
    for generation in range(1, GENERATIONS + 1):
        code = coding_mark(job.organisation.id, generation)
        if code in chart.by_code():
            continue
        name = free_name(CODING_NAME, "", chart.names())
        try:
            chart.accounts.append(create_coding_account(job.xero, code=code, name=name, key=_key(job, code, name)))
        except Permanent as error:
            words = " ".join(error.messages).lower()
            if NAME_TAKEN in words or CODE_TAKEN in words:
                chart.accounts = list_accounts(job.xero)
                if code in chart.active_codes():
                    return code
                chart.accounts.append(XeroAccount(account_id="", name=name, type="CURRENT", status="ARCHIVED"))
                continue
            job.problems.append(f"the account for lines to be coded: {error}")
            return ""
        except Temporary as error:
            job.problems.append(f"the account for lines to be coded: {error}")
            return ""
        return code
    return ""


def _key(job: Job, code: str, name: str) -> str:
    return hashlib.sha256(f"{job.tenant_id}|account|{code}|{name}".encode()).hexdigest()


def _in_xero(account: XeroAccount) -> InXero:
    return InXero(account.account_id, account.code, account.status)
