"""Batches without an outcome: send again while Xero remembers the key, then look, and never guess."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from clients.errors import Permanent, RateLimited, RemoteError, Temporary, Unreadable
from clients.xero.bank_transactions import GET
from domain.reasons import Uncertain
from domain.recovery import LookUp, Send, Wait
from models.due_posting import is_any_due
from models.posting import Member, Posting, give_reason, members
from models.posting_batch import PostingBatch, open_batches
from models.states import BatchState, PostingState
from services.job import Job
from services.look_up import Found, find_in_xero
from services.send_batches import send_batches, step_of
from services.store_look_up import store_look_up
from services.store_outcome import store_uncertain

log = logging.getLogger(__name__)


def replay_batches(job: Job) -> datetime | None:
    """Send every batch without an outcome again that may be; return when the next one may go on, if any is left.

    Those that are only to be looked up are not among them. Raises what `send_batches` raises.
    """
    batches = open_batches(job.connection.id)
    for batch in batches:
        if batch.state == BatchState.SENDING:
            store_uncertain(job, batch, "whoever sent it ended before storing an outcome")
    send_batches(job, (batch for batch in batches if isinstance(step_of(batch, job.instant()), Send)))
    steps = [step_of(batch, job.instant()) for batch in batches if batch.state != BatchState.RESOLVED]
    later = [step.until if isinstance(step, Wait) else job.now() for step in steps if not isinstance(step, LookUp)]
    return min(later, default=None)


def look_up_batches(job: Job) -> bool:
    """Look up every batch that is old enough; return whether anything is due again.

    What cannot be decided stays, and `job.doubts` has it.

    Raises RateLimited and Reconnect.
    """
    steps = [(batch, step_of(batch, job.instant())) for batch in open_batches(job.connection.id)]
    to_look_up = [batch for batch, step in steps if isinstance(step, LookUp)]
    _look_up(job, to_look_up)
    return is_any_due(job.connection.id)


def _look_up(job: Job, batches: list[PostingBatch]) -> None:
    """Look up together what can be; where that fails, the newer half by itself, for which Xero shows fewer rows.

    So one batch that cannot be looked up holds no other.
    """
    if not batches:
        return
    started = job.now()
    postings = [p for p in members(batch.id for batch in batches) if p.state == PostingState.UNCERTAIN]
    try:
        found = find_in_xero(job, postings, _first_sent(batches))
    except (Temporary, Permanent) as error:
        if len(batches) == 1:
            _store_doubt(job, batches[0], error)
            return
        _look_up_by_halves(job, sorted(batches, key=lambda batch: _first_sent([batch])), error)
    else:
        _store_look_up(job, batches, postings, found, started)


def _look_up_by_halves(job: Job, oldest_first: list[PostingBatch], problem: RemoteError) -> None:
    middle = len(oldest_first) // 2
    try:
        _look_up(job, oldest_first[middle:])
        _look_up(job, oldest_first[:middle])
    except RateLimited:  # no more may be asked now, so the first answer stands
        for batch in oldest_first:
            if batch.state != BatchState.RESOLVED:
                _store_doubt(job, batch, problem)


def _first_sent(batches: Sequence[PostingBatch]) -> datetime:
    """By whichever clock is earlier: the other may have been ahead."""
    sent: list[datetime] = [at for one in batches for at in (one.first_sent_at, one.first_sent_machine) if at]
    return min(sent)


def _store_doubt(job: Job, batch: PostingBatch, error: RemoteError) -> None:
    log.warning("batch %s cannot be looked up: %s", batch.id, error)
    job.doubts[batch.id] = error
    undecided = (Posting.batch_id == batch.id) & (Posting.state == PostingState.UNCERTAIN)
    with job.holding():
        give_reason(undecided, Uncertain.NOT_LOOKED_UP, job.now(), detail=str(error))


def _store_look_up(
    job: Job, batches: Sequence[PostingBatch], postings: Sequence[Member], found: Found, started: datetime
) -> None:
    """Adopt what Xero has. What a complete look did not find was never taken, and may be sent under a new key."""
    for batch in batches:
        mine = [posting for posting in postings if posting.batch_id == batch.id]
        store_look_up(job, batch, mine, found, started)
        if alike := [found.alike[posting.id] for posting in mine if posting.id in found.alike]:
            _store_doubt(job, batch, Unreadable(GET, alike[0]))
