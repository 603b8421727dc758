"""What a complete look at Xero says of a batch: what is there is adopted, what is not may be sent under a new key."""

from __future__ import annotations

from datetime import datetime

from domain.reasons import Held
from models.posting import Member, Posting, move
from models.posting_batch import PostingBatch, store_progress
from models.states import BatchState, PostingState
from services.job import Job
from services.look_up import Found, store_found, the_one
from services.store_outcome import store_refused

MOST_LOST = 5  # attempts that Xero may leave without an answer before a posting rests until the next night


def store_look_up(job: Job, batch: PostingBatch, postings: list[Member], found: Found, started: datetime) -> None:
    """Resolve a batch whose undecided `postings` were looked for from `started` on."""
    absent = [posting for posting in postings if not found[posting.id]]
    surplus = [posting.id for posting in postings if found[posting.id] and not the_one(found[posting.id])]
    with job.holding():
        store_found(job, postings, found)
        move(Posting.id.in_(surplus), PostingState.HELD, job.now(), reason=Held.TWICE_IN_XERO)
        _store_absent(job, batch, absent)
        batch.state, batch.resolved_at = BatchState.RESOLVED, job.now()
        batch.looked_up_at, batch.looked_up_found = started, len(postings) - len(absent)
        store_progress(batch)


def _store_absent(job: Job, batch: PostingBatch, absent: list[Member]) -> None:
    if batch.refused and batch.size == 1:
        for posting in absent:
            store_refused(job, posting, [batch.refused])
        return
    detail = f"not in Xero: proved by the look-up of batch {batch.id}"
    tired = [posting.id for posting in absent if posting.attempts >= MOST_LOST]
    again = [posting.id for posting in absent if posting.attempts < MOST_LOST]
    move(Posting.id.in_(tired), PostingState.HELD, job.now(), reason=Held.NO_ANSWER, detail=detail)
    move(Posting.id.in_(again), PostingState.DUE, job.now(), detail=detail, alone=bool(batch.refused))
