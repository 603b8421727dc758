"""Hold what cannot be sent now, with its reason, and let go of what can be sent again."""

from __future__ import annotations

from typing import Any

from clients.xero.organisation import read_organisation
from domain.coding import FEE
from domain.reasons import Held
from models.bank_account import newest_links
from models.due_posting import at_stake
from models.posting import Posting, move
from models.states import LinkState, PostingState
from services.freeze_batch import coding_codes
from services.job import Job
from services.look_up import find_in_xero, store_found

NO_ACCOUNT = (Held.NO_ACCOUNT, Held.CURRENCY)
TRIED_EVERY_NIGHT = (Held.CONTACT, Held.REFUSED, Held.NO_ANSWER)


def settle_holds(job: Job, active_codes: set[str]) -> None:
    """Compare what holds with what Xero has now. `active_codes` are the Codes that a line may be coded to.

    Costs a read of Xero if something is held for its lock date, another if something is there twice, else none.
    """
    ours = at_stake(job.connection.id)
    if not ours:
        return
    reasons = {reason for state, reason, _ in ours if state == PostingState.HELD}
    unlocked = _unlocked(job) if Held.LOCK_DATE in reasons else None
    twice = _held(job, Held.TWICE_IN_XERO) if Held.TWICE_IN_XERO in reasons else []
    found = find_in_xero(job, twice, min(posting.created_at for posting in twice)) if twice else {}
    with job.holding():
        store_found(job, twice, found)  # a person was asked to delete the surplus copy
        if reasons.intersection(TRIED_EVERY_NIGHT):
            _release(job, Posting.reason.in_(TRIED_EVERY_NIGHT) & (Posting.changed_at < job.run.started_at))
        if unlocked is not None:
            _release(job, unlocked)
        _settle_accounts(job, {account_id for _, _, account_id in ours}, reasons)
        _settle_coding(job, active_codes, reasons)


def _held(job: Job, reason: Held) -> list[Posting]:
    held = (Posting.state == PostingState.HELD) & (Posting.reason == reason)
    return list(Posting.select().where((Posting.connection_id == job.connection.id) & held))


def _unlocked(job: Job) -> Any:
    """Which postings wait for a lock date that is no longer in their way."""
    waiting = Posting.reason == Held.LOCK_DATE
    until = read_organisation(job.xero).locked_until()
    return waiting & (Posting.date > until) if until else waiting


def _settle_accounts(job: Job, accounts: set[str], reasons: set[str]) -> None:
    links = newest_links(job.tenant_id, job.organisation.id)
    live = [key for key, link in links.items() if link.state == LinkState.LIVE]
    if reasons.intersection(NO_ACCOUNT):
        _release(job, Posting.reason.in_(NO_ACCOUNT) & Posting.bank_account_id.in_(live))
    for key in accounts.intersection(links):
        if links[key].state == LinkState.HELD:
            _hold(job, Posting.bank_account_id == key, Held(links[key].reason))
    if not accounts.issubset(live):
        _hold(job, Posting.bank_account_id.not_in(live), Held.NO_ACCOUNT)


def _settle_coding(job: Job, active_codes: set[str], reasons: set[str]) -> None:
    codes = coding_codes(job.connection)
    is_fee = Posting.operation_type == FEE
    for lines, code in (
        (is_fee, codes.code_for("debit", FEE)),
        (~is_fee & (Posting.side == "credit"), codes.code_for("credit", "")),
        (~is_fee & (Posting.side == "debit"), codes.code_for("debit", "")),
    ):
        if code not in active_codes:
            _hold(job, lines, Held.CODING_ACCOUNT)
        elif Held.CODING_ACCOUNT in reasons:
            _release(job, (Posting.reason == Held.CODING_ACCOUNT) & lines)


def _release(job: Job, which: object) -> None:
    ours = (Posting.connection_id == job.connection.id) & (Posting.state == PostingState.HELD)
    move(ours & which, PostingState.DUE, job.now(), detail="let go")


def _hold(job: Job, which: object, reason: Held) -> None:
    ours = (Posting.connection_id == job.connection.id) & (Posting.state == PostingState.DUE)
    move(ours & which, PostingState.HELD, job.now(), reason=reason)
