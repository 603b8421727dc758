"""Batches without an outcome: send again while Xero remembers the key, then look, and never guess."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from clients.xero.bank_transactions import BankTransaction, list_bank_transactions
from domain.bank_transaction import deep_link
from domain.reasons import Held
from domain.recovery import LookUp, Send, Wait, next_step
from models.posting import Posting, members, move
from models.posting_batch import PostingBatch, open_batches
from models.states import BatchState, PostingState
from services.job import Job
from services.post_transactions import send_batch, store_posted, store_refused, store_uncertain

CLOCK_MARGIN = timedelta(minutes=5)  # Xero's clock against ours


def recover_batches(job: Job) -> datetime | None:
    """Bring every batch without an outcome as far as it may go now; when the next one may go on, if any is left.

    Raises RateLimited and Reconnect, and Temporary when Xero cannot be looked at: then nothing was concluded.
    """
    waits: list[datetime] = []
    to_look_up: list[PostingBatch] = []
    for batch in open_batches(job.connection.id):
        if batch.state == BatchState.SENDING:
            store_uncertain(job, batch, "whoever sent it ended before storing an outcome")
        if isinstance(_step(job, batch), Send):
            send_batch(job, batch)
        if batch.state == BatchState.RESOLVED:
            continue
        step = _step(job, batch)
        if isinstance(step, Wait):
            waits.append(step.until)
        else:
            to_look_up.append(batch)
    if to_look_up:
        _look_up(job, to_look_up)
    return min(waits, default=None)


def _step(job: Job, batch: PostingBatch) -> Send | Wait | LookUp:
    return next_step(
        first_sent_at=batch.first_sent_at,
        last_sent_at=batch.last_sent_at,
        sends=batch.sends,
        refused=bool(batch.refused),
        now=job.now(),
    )


def _look_up(job: Job, batches: list[PostingBatch]) -> None:
    """Adopt what Xero has. What a complete look did not find was never taken, and may be sent again under a new key."""
    started = job.now()
    since = min(batch.first_sent_at for batch in batches if batch.first_sent_at) - CLOCK_MARGIN
    open_postings = {
        deep_link(job.app_url, posting.transaction_id): posting
        for posting in members(batch.id for batch in batches)
        if posting.state == PostingState.UNCERTAIN
    }
    found: defaultdict[int, list[BankTransaction]] = defaultdict(list)
    for row in list_bank_transactions(job.xero, since):
        if row.url in open_postings:
            found[open_postings[row.url].id].append(row)
    for batch in batches:
        mine = [posting for posting in open_postings.values() if posting.batch_id == batch.id]
        _store_look_up(job, batch, mine, found, started)


def _store_look_up(
    job: Job,
    batch: PostingBatch,
    postings: list[Posting],
    found: dict[int, list[BankTransaction]],
    started: datetime,
) -> None:
    once = [(posting, found[posting.id][0]) for posting in postings if len(found.get(posting.id, ())) == 1]
    twice = [posting.id for posting in postings if len(found.get(posting.id, ())) > 1]
    absent = [posting for posting in postings if not found.get(posting.id)]
    with job.holding():
        store_posted(job, once, detail="found in Xero")
        if twice:
            move(Posting.id.in_(twice), PostingState.HELD, job.now(), reason=Held.TWICE_IN_XERO)
        _store_absent(job, batch, absent)
        batch.state, batch.resolved_at = BatchState.RESOLVED, job.now()
        batch.looked_up_at, batch.looked_up_found = started, len(postings) - len(absent)
        batch.save()


def _store_absent(job: Job, batch: PostingBatch, absent: list[Posting]) -> None:
    if batch.refused and batch.size == 1:
        for posting in absent:
            store_refused(job, posting, [batch.refused])
        return
    detail = f"not in Xero: proved by the look-up of batch {batch.id}"
    proved = Posting.id.in_([posting.id for posting in absent])
    move(proved, PostingState.DUE, job.now(), detail=detail, alone=bool(batch.refused))
