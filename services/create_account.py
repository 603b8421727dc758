"""Create one bank account in Xero, once: its mark is stored before Xero is asked, so a lost answer is found by it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from clients.errors import Permanent, Temporary, Unreadable
from clients.qonto.bank_accounts import QontoAccount
from clients.xero.accounts import (
    CODE_TAKEN,
    CURRENCY_MISSING,
    NAME_TAKEN,
    NUMBER_REFUSED,
    create_bank_account,
    list_accounts,
)
from clients.xero.organisation import read_organisation
from domain.account_choice import ACTIVE
from domain.account_number import local_number
from domain.marks import account_mark
from domain.naming import free_name
from domain.reasons import Gone, Held, Noted
from failpoints import hit
from models.bank_account import AccountLink
from models.states import LinkState
from models.sync_run import SyncRun
from services.chart import Chart, has_waited_for_lists, not_listed
from services.job import Job
from services.left_out import take_back

TRIES = 8  # names, codes and numbers that Xero may refuse one after another


def create_account(job: Job, account: QontoAccount, generation: int, chart: Chart) -> None:
    """Ask Xero until a name, a code and a number are accepted. Another refusal holds the account until the next run.

    Raises Temporary when the answer is lost: the next turn finds the account by its mark, or asks again under the same
    key.
    """
    numbers = _numbers(job, account)
    number = next(numbers)
    for _ in range(TRIES):
        code = account_mark(account.id, generation)
        link = intend_link(job, account, generation, code, free_name(account.name, last_four(account), chart.names()))
        hit("account_intended")
        try:
            created = create_bank_account(
                job.xero,
                code=code,
                name=link.name,
                number=number or code,
                currency=account.currency,
                key=account_key(job, code, link.name, number, link.refusals),
            )
        except Permanent as error:
            if number and NUMBER_REFUSED in _words(error):
                number = next(numbers)
                continue
            following = _after_refusal(job, link, chart, error)
            if following is None:
                return
            generation = following
        except Unreadable as error:
            raise Temporary(error.call, error.problem) from error  # the next turn finds by its mark what was created
        else:
            hit("account_answered")
            chart.put(created)
            _store_created(job, link, created.account_id, is_numbered_otherwise=number != (account.iban or ""))
            return
    job.problems.append(f"account {account.id}: no free name or code in Xero after {TRIES} tries")


def _numbers(job: Job, account: QontoAccount) -> Iterator[str]:
    """Yield account numbers to ask for: the IBAN, one in the form of Xero's country, and none, which means our mark."""
    if account.iban:
        yield account.iban
        local = local_number(account.iban, read_organisation(job.xero).country_code)
        if local:
            yield local
    yield ""


def _after_refusal(job: Job, link: AccountLink, chart: Chart, error: Permanent) -> int | None:
    """Return the generation to ask for next, or None when there is nothing more to ask."""
    words = _words(error)
    if NAME_TAKEN in words:
        chart.note_taken(link.name)
        return link.generation
    if CODE_TAKEN in words:
        return None if _adopt(job, link, chart) else link.generation + 1
    _hold(job, link, error)
    return None


def _words(error: Permanent) -> str:
    return " ".join(error.messages).lower()


def _adopt(job: Job, link: AccountLink, chart: Chart) -> bool:
    """Use the account that has the link's Code, and return whether it is active; if not, the link is gone.

    Raises Temporary while Xero does not list an account that may be the one that we asked for a moment ago.
    """
    listed = list_accounts(job.xero)
    if any(row.code in {None, link.code} for row in listed.unreadable):
        raise Unreadable("Xero GET /Accounts", "the account that has the Code may be one that cannot be read")
    chart.add_unknown(listed)
    found = chart.by_code().get(link.code)
    if found is None and not has_waited_for_lists(job, not_listed(link.code)):
        raise Temporary("Xero PUT /Accounts", not_listed(link.code))
    if found and found.status == ACTIVE:
        store_link(job, link, LinkState.LIVE, xero_account_id=found.account_id)
        return True
    store_link(job, link, LinkState.GONE, reason=Gone.CODE_TAKEN, xero_account_id=found.account_id if found else "")
    return False


def _hold(job: Job, link: AccountLink, error: Permanent) -> None:
    """Wait for a person to change something in Xero. The next creation is asked for under a key of its own."""
    words = _words(error)
    reason = Held.CURRENCY if CURRENCY_MISSING in words else Held.NUMBER if NUMBER_REFUSED in words else Held.NO_ACCOUNT
    link.refusals += 1
    store_link(job, link, LinkState.HELD, reason=reason)
    job.notes.append(f"account {link.bank_account_id} is not in Xero: {'; '.join(error.messages) or error.problem}")


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
    """Store what became of it. What was left out because the account was gone is due once it is live."""
    with job.holding():
        link.state, link.reason = state, reason
        link.xero_account_id = xero_account_id or link.xero_account_id
        link.save()
        if state == LinkState.LIVE:
            take_back(job, link.bank_account_id)


def _store_created(job: Job, link: AccountLink, xero_account_id: str, *, is_numbered_otherwise: bool) -> None:
    reason = Noted.NUMBER if is_numbered_otherwise else ""
    with job.holding():
        store_link(job, link, LinkState.LIVE, reason=reason, xero_account_id=xero_account_id)
        SyncRun.update(accounts_created=SyncRun.accounts_created + 1).where(SyncRun.id == job.run.id).execute()
    if is_numbered_otherwise:
        job.notes.append(f"account {link.bank_account_id}: Xero does not take its IBAN as account number")


def last_four(account: QontoAccount) -> str:
    """The end of the IBAN, which is all of it that is ever stored."""
    return (account.iban or "")[-4:]


def account_key(job: Job, code: str, name: str, number: str, refusals: int) -> str:
    """The Idempotency-Key of a creation.

    Xero repeats a refusal for six minutes under its key, so the key counts them; an answer that was lost keeps its key.
    """
    return hashlib.sha256(f"{job.tenant_id}|account|{code}|{name}|{number}|{refusals}".encode()).hexdigest()
