"""Hold what cannot be sent now, with its reason, and let go of what can be sent again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clients.errors import Permanent, Temporary, Unreadable
from clients.xero.organisation import read_organisation
from domain.coding import FEE
from domain.reasons import Held
from models.bank_account import AccountLink, current_links
from models.due_posting import at_stake
from models.posting import Posting, move
from models.states import LinkState, PostingState
from services.freeze_batch import coding_codes
from services.job import Job
from services.look_up import Found, find_in_xero, store_found

NO_ACCOUNT = (Held.NO_ACCOUNT, Held.CURRENCY, Held.NUMBER)
TRIED_EVERY_NIGHT = (Held.CONTACT, Held.REFUSED, Held.NO_ANSWER)


@dataclass(frozen=True)
class _Change:
    """Postings of the connection that are to be held for a reason, or, without one, let go of."""

    which: Any
    reason: Held | None = None


def settle_holds(job: Job, active_codes: set[str]) -> None:
    """Compare what holds with what Xero has now. `active_codes` are the Codes that a line may be coded to.

    Costs a read of Xero if something is held for its lock date, another if something is there twice, else none.
    """
    ours = at_stake(job.connection.id)
    if not ours:
        return
    reasons = {reason for state, reason, _ in ours if state == PostingState.HELD}
    twice = _held(job, Held.TWICE_IN_XERO) if Held.TWICE_IN_XERO in reasons else []
    found = _found(job, twice) if twice else Found({}, {})
    links = current_links(job.tenant_id, job.organisation.id)
    changes = [
        *_tried_again(job, reasons),
        *_by_accounts(links, {account_id for _, _, account_id in ours}, reasons),
        *_by_coding(job, active_codes, reasons),
    ]
    if not twice and not changes:
        return
    with job.holding():
        store_found(job, twice, found)  # a person was asked to delete the surplus copy
        for change in changes:
            _make(job, change)


def _found(job: Job, twice: Sequence[Posting]) -> Found:
    """What Xero has of these, empty where it cannot be looked up: then they stay held, and hold no other."""
    try:
        return find_in_xero(job, twice, min(posting.created_at for posting in twice))
    except (Temporary, Permanent) as error:
        job.notes.append(f"what Xero has more than once cannot be looked up: {error}")
        return Found(defaultdict(list), {})


def _held(job: Job, reason: Held) -> list[Posting]:
    held = (Posting.state == PostingState.HELD) & (Posting.reason == reason)
    return list(Posting.select().where((Posting.connection_id == job.connection.id) & held))


def _tried_again(job: Job, reasons: set[str]) -> Iterator[_Change]:
    """What every night tries anew, and what waits for a lock date that is no longer in its way."""
    if reasons.intersection(TRIED_EVERY_NIGHT):
        yield _Change(Posting.reason.in_(TRIED_EVERY_NIGHT) & (Posting.changed_at < job.run.started_at))
    if Held.LOCK_DATE in reasons:
        waiting = Posting.reason == Held.LOCK_DATE
        try:
            until = read_organisation(job.xero).locked_until()
        except (Permanent, Unreadable) as error:
            job.notes.append(f"what waits for Xero's lock date goes on waiting: {error}")
        except Temporary as error:
            job.problems.append(f"Xero's lock date: {error}")
        else:
            yield _Change(waiting & (Posting.date > until) if until else waiting)


def _by_accounts(links: dict[str, AccountLink], accounts: set[str], reasons: set[str]) -> Iterator[_Change]:
    live = [key for key, link in links.items() if link.state == LinkState.LIVE]
    if reasons.intersection(NO_ACCOUNT):
        yield _Change(Posting.reason.in_(NO_ACCOUNT) & Posting.bank_account_id.in_(live))
    for key in accounts.intersection(links):
        if links[key].state == LinkState.HELD:
            yield _Change(Posting.bank_account_id == key, Held(links[key].reason))
    if not accounts.issubset(live):
        yield _Change(Posting.bank_account_id.not_in(live), Held.NO_ACCOUNT)


def _by_coding(job: Job, active_codes: set[str], reasons: set[str]) -> Iterator[_Change]:
    codes = coding_codes(job.connection)
    is_fee = Posting.operation_type == FEE
    for lines, code in (
        (is_fee, codes.code_for("debit", FEE)),
        (~is_fee & (Posting.side == "credit"), codes.code_for("credit", "")),
        (~is_fee & (Posting.side == "debit"), codes.code_for("debit", "")),
    ):
        if code not in active_codes:
            yield _Change(lines, Held.CODING_ACCOUNT)
        elif Held.CODING_ACCOUNT in reasons:
            yield _Change((Posting.reason == Held.CODING_ACCOUNT) & lines)


def _make(job: Job, change: _Change) -> None:
    ours = Posting.connection_id == job.connection.id
    if change.reason:
        move(
            ours & (Posting.state == PostingState.DUE) & change.which,
            PostingState.HELD,
            job.now(),
            reason=change.reason,
        )
    else:
        move(ours & (Posting.state == PostingState.HELD) & change.which, PostingState.DUE, job.now(), detail="let go")
