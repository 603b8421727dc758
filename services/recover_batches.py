"""Batches without an outcome: send again while Xero remembers the key, then look, and never guess."""

from __future__ import annotations

from datetime import datetime

from domain.recovery import LookUp, Send, Wait
from models.posting import members
from models.posting_batch import PostingBatch, open_batches
from models.states import BatchState, PostingState
from services.job import Job
from services.look_up import find_in_xero
from services.send_batches import send_batches, step_of
from services.store_look_up import store_look_up
from services.store_outcome import store_uncertain


def recover_batches(job: Job) -> datetime | None:
    """Bring every batch without an outcome as far as it may go now; when the next one may go on, if any is left.

    Raises RateLimited and Reconnect, and Temporary when Xero cannot be looked at: then nothing was concluded.
    """
    batches = open_batches(job.connection.id)
    for batch in batches:
        if batch.state == BatchState.SENDING:
            store_uncertain(job, batch, "whoever sent it ended before storing an outcome")
    send_batches(job, (batch for batch in batches if isinstance(step_of(batch, job.instant()), Send)))
    steps = [(batch, step_of(batch, job.instant())) for batch in batches if batch.state != BatchState.RESOLVED]
    to_look_up = [batch for batch, step in steps if isinstance(step, LookUp)]
    if to_look_up:
        _look_up(job, to_look_up)
    later = [step.until if isinstance(step, Wait) else job.now() for _, step in steps if not isinstance(step, LookUp)]
    return min(later, default=None)


def _look_up(job: Job, batches: list[PostingBatch]) -> None:
    """Adopt what Xero has. What a complete look did not find was never taken, and may be sent again under a new key."""
    started = job.now()
    postings = [p for p in members(batch.id for batch in batches) if p.state == PostingState.UNCERTAIN]
    sent = [moment for batch in batches for moment in (batch.first_sent_at, batch.first_sent_machine) if moment]
    found = find_in_xero(job, postings, min(sent))  # by whichever clock is earlier: the other may have been ahead
    for batch in batches:
        mine = [posting for posting in postings if posting.batch_id == batch.id]
        store_look_up(job, batch, mine, found, started)
