"""Create one bank account in Xero, once: its mark is stored before Xero is asked, so a lost answer is found by it."""

from __future__ import annotations

import hashlib

from clients.errors import Permanent
from clients.qonto.bank_accounts import QontoAccount
from clients.xero.accounts import CODE_TAKEN, CURRENCY_MISSING, NAME_TAKEN, create_bank_account, list_accounts
from domain.account_choice import ACTIVE
from domain.marks import account_mark
from domain.naming import free_name
from domain.reasons import Gone, Held
from failpoints import hit
from models.bank_account import AccountLink
from models.states import LinkState
from models.sync_run import SyncRun
from services.chart import Chart
from services.job import Job

TRIES = 5  # names and codes that somebody else may take between our read and our write


def create_account(job: Job, account: QontoAccount, generation: int, chart: Chart) -> None:
    """Ask Xero until a name and a code are free. A refusal that may pass holds the account until the next night.

    Raises Temporary when the answer is lost: the next turn finds the account by its mark, or asks again.
    """
    for _ in range(TRIES):
        code = account_mark(account.id, generation)
        name = free_name(account.name, last_four(account), chart.names())
        link = intend_link(job, account, generation, code, name)
        hit("account_intended")
        try:
            created = create_bank_account(
                job.xero,
                code=code,
                name=name,
                number=account.iban or code,
                currency=account.currency,
                key=account_key(job, code, name),
            )
        except Permanent as error:
            following = _after_refusal(job, account, link, chart, error)
            if following is None:
                return
            generation = following
        else:
            hit("account_answered")
            chart.accounts.append(created)
            _store_created(job, link, created.account_id)
            return
    job.problems.append(f"account {account.id}: no free name or code in Xero after {TRIES} tries")


def _after_refusal(job: Job, account: QontoAccount, link: AccountLink, chart: Chart, error: Permanent) -> int | None:
    """The generation to ask for next; `None` when there is nothing more to ask."""
    words = " ".join(error.messages).lower()
    if NAME_TAKEN in words:
        chart.note_taken(link.name)
        return link.generation
    if CODE_TAKEN in words:
        chart.accounts = list_accounts(job.xero)
        found = chart.by_code().get(link.code)
        if found and found.status == ACTIVE:
            store_link(job, link, LinkState.LIVE, xero_account_id=found.account_id)
            return None
        store_link(job, link, LinkState.GONE, reason=Gone.CODE_TAKEN)
        return link.generation + 1
    store_link(job, link, LinkState.HELD, reason=Held.CURRENCY if CURRENCY_MISSING in words else Held.NO_ACCOUNT)
    job.notes.append(f"account {account.id} is not in Xero: {'; '.join(error.messages) or error.problem}")
    return None


def intend_link(job: Job, account: QontoAccount, generation: int, code: str, name: str) -> AccountLink:
    """Remember that we are about to ask for this account, or to adopt it."""
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


def store_link(job: Job, link: AccountLink, state: LinkState, *, reason: str = "", xero_account_id: str = "") -> None:
    """What became of it."""
    with job.holding():
        link.state, link.reason = state, reason
        link.xero_account_id = xero_account_id or link.xero_account_id
        link.save()


def _store_created(job: Job, link: AccountLink, xero_account_id: str) -> None:
    with job.holding():
        store_link(job, link, LinkState.LIVE, xero_account_id=xero_account_id)
        SyncRun.update(accounts_created=SyncRun.accounts_created + 1).where(SyncRun.id == job.run.id).execute()


def last_four(account: QontoAccount) -> str:
    """The end of the IBAN, which is all of it that is ever stored."""
    return (account.iban or "")[-4:]


def account_key(job: Job, code: str, name: str) -> str:
    """The Idempotency-Key of a creation."""
    return hashlib.sha256(f"{job.tenant_id}|account|{code}|{name}".encode()).hexdigest()
