"""Follow Qonto's accounts without waiting for the night: create what was opened, finish what was closed."""

from __future__ import annotations

from collections.abc import Sequence

from clients.qonto.bank_accounts import QontoAccount
from domain.following import PATIENCE, Seen, look_again_after, what_came_of
from domain.reasons import Followed, Waits, sentence
from models.bank_account import AccountLink, current_links
from models.inbox import InboxEvent, settle_event, unhandled_events
from models.states import LinkState, RunState
from services.job import Job
from services.post_due import post_due
from services.provision_accounts import provision_accounts, provision_closed_accounts
from services.read_accounts import accounts_to_read, read_accounts
from services.verdict import Verdict, go_on, try_later


def follow_accounts(job: Job) -> Verdict:
    """Each active account is in Xero; of each closed one, what settled before is read and sent, and then no more.

    Then it is written down what came of each event. One that Qonto does not show yet is looked at again soon.
    """
    chart, in_qonto = provision_accounts(job)
    to_read = accounts_to_read(job.connection, in_qonto, only_closed=True)
    reading = read_accounts(job, to_read)
    provision_closed_accounts(job, chart, in_qonto)
    if to_read:  # what cannot be sent is held as it is frozen; what others hold waits for the night
        # The others' events do not wait for Xero's answers.
        _settle(job, in_qonto, {account.id for account in to_read}, reading.unread)
        verdict = post_due(job) if not reading.is_cut_short else go_on(job)
        if verdict.state != RunState.DONE:
            return verdict
    not_whole = {account.id for account in to_read} - reading.whole
    waiting = _settle(job, in_qonto, not_whole, reading.unread)
    if job.problems:
        return try_later(job, "; ".join(job.problems))
    if waiting:
        waited = min(job.now() - event.announced_at for event in waiting)
        if waited >= PATIENCE:
            return try_later(job, f"event {waiting[0].id}: its account is neither in Xero nor said to be left out")
        wake_at = job.now() + look_again_after(waited)
        return Verdict(RunState.WAITING, sentence(Waits.NOT_SHOWN), wake_at, code=Waits.NOT_SHOWN)
    return Verdict(RunState.DONE, "; ".join(job.notes))


def _settle(job: Job, in_qonto: Sequence[QontoAccount], not_whole: set[str], unread: set[str]) -> list[InboxEvent]:
    """Store what came of each event; return those that are still to be followed."""
    links = current_links(job.tenant_id, job.organisation.id)
    seen = {
        one.id: _seen(one, links.get(one.id), is_read_whole=one.id not in not_whole, is_unread=one.id in unread)
        for one in in_qonto
    }
    still: list[InboxEvent] = []
    with job.holding():
        for event in unhandled_events(job.organisation.id):
            waited = job.now() - event.announced_at
            outcome = what_came_of(event.version, seen.get(event.bank_account_id), waited)
            if outcome:
                settle_event(event.id, outcome, job.now())
            else:
                still.append(event)
    return still


def _seen(account: QontoAccount, link: AccountLink | None, *, is_read_whole: bool, is_unread: bool) -> Seen:
    return Seen(
        status=account.status,
        is_external=account.is_external_account,
        version=account.updated_at,
        is_in_xero=link is not None and link.state == LinkState.LIVE,
        held=link.reason if link and link.state == LinkState.HELD else "",
        is_read_whole=is_read_whole,
        is_unread=is_unread,
    )


def close_accounts_run(job: Job, verdict: Verdict) -> Verdict:
    """What becomes of a run that would be over: events that came meanwhile keep it open, unless it has failed.

    What a failed run could not follow is given up, and said so: the night looks at every account again.
    """
    left = unhandled_events(job.organisation.id)
    if verdict.state == RunState.FAILED:
        for event in left:
            settle_event(event.id, Followed.GIVEN_UP, job.now())
        return verdict
    return Verdict(RunState.RUNNING, at_once=True) if left else verdict
