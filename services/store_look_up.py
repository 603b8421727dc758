"""What a complete look at Xero says of a batch: what is there is adopted, what is not may be sent under a new key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.reasons import Held
from models.posting import Member, Posting, move
from models.posting_batch import PostingBatch, store_progress
from models.states import BatchState, PostingState
from services.job import Job
from services.look_up import Found, store_found, the_one
from services.store_outcome import UNLINKED, store_refused

MOST_LOST = 5  # attempts that Xero may leave without an answer before a posting rests until the next night


def store_look_up(job: Job, batch: PostingBatch, postings: list[Member], found: Found, started: datetime) -> None:
    """Decide the undecided `postings` of a batch, which were looked for from `started` on, and resolve it.

    What is alike to a row without a link stays uncertain, and the batch open for it. If by our record the batch was
    never sent, it is held: our record may have forgotten.
    """
    rows = found.rows
    alike = [posting for posting in postings if posting.id in found.alike]
    absent = [posting for posting in postings if not rows[posting.id] and posting.id not in found.alike]
    surplus = [posting.id for posting in postings if rows[posting.id] and not the_one(rows[posting.id])]
    with job.holding():
        store_found(job, postings, found)
        move(Posting.id.in_(surplus), PostingState.HELD, job.now(), reason=Held.TWICE_IN_XERO)
        _store_absent(job, batch, absent)
        if batch.first_sent_at is None:
            hold_alike(job, alike, found)
        if batch.first_sent_at is None or not alike:
            batch.state, batch.resolved_at = BatchState.RESOLVED, job.now()
        batch.looked_up_at, batch.looked_up_found = started, len(postings) - len(absent) - len(alike)
        store_progress(batch)


def hold_alike(job: Job, postings: Sequence[Member], found: Found) -> None:
    """Hold what Xero may have without showing its link. Call it inside `job.holding()`."""
    for posting in postings:
        if doubt := found.alike.get(posting.id):
            which = (Posting.id == posting.id) & (Posting.reason != Held.UNRECOGNISED)
            move(which, PostingState.HELD, job.now(), reason=Held.UNRECOGNISED, detail=doubt)


def _store_absent(job: Job, batch: PostingBatch, absent: list[Member]) -> None:
    if batch.refused == UNLINKED:
        which = Posting.id.in_([posting.id for posting in absent])
        move(which, PostingState.HELD, job.now(), reason=Held.UNRECOGNISED, detail=UNLINKED)
        return
    if batch.refused and batch.size == 1:
        for posting in absent:
            if batch.refused == batch.problem:  # without a word of Xero's own: what stands in front of it may say so
                which = Posting.id == posting.id
                move(which, PostingState.HELD, job.now(), reason=Held.NO_ANSWER, detail=batch.refused)
            else:
                store_refused(job, posting, [batch.refused])
        return
    detail = f"not in Xero: proved by the look-up of batch {batch.id}"
    tired = [posting.id for posting in absent if posting.attempts >= MOST_LOST]
    again = [posting.id for posting in absent if posting.attempts < MOST_LOST]
    move(Posting.id.in_(tired), PostingState.HELD, job.now(), reason=Held.NO_ANSWER, detail=detail)
    move(Posting.id.in_(again), PostingState.DUE, job.now(), detail=detail, alone=bool(batch.refused))
