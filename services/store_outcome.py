"""What came of a request, each outcome in one transaction: uncertain, or row by row what Xero answered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from clients.xero.bank_transactions import AnsweredElement, BankTransaction
from domain.reasons import Held, Rejected
from domain.refusals import meaning
from models.posting import Member, Posting, move, move_into_xero
from models.posting_batch import PostingBatch, members_of, store_progress
from models.states import BatchState, PostingState
from models.sync_run import count_posted
from services.job import Job

log = logging.getLogger(__name__)


class Known(Protocol):
    """A posting, by its number and by the link that Xero shows."""

    id: int
    url: str


def store_uncertain(job: Job, batch: PostingBatch, problem: str, refused: str = "") -> None:
    """Xero may or may not have it; a person sees why, and recovery takes it from here."""
    log.warning("batch %s is uncertain: %s", batch.id, problem)
    with job.holding():
        batch.state, batch.problem, batch.refused = BatchState.UNCERTAIN, problem, refused
        store_progress(batch)
        still = (Posting.batch_id == batch.id) & (Posting.state == PostingState.SENDING)
        move(still, PostingState.UNCERTAIN, job.now(), detail=problem)


def store_outcome(job: Job, batch: PostingBatch, answers: list[AnsweredElement]) -> None:
    """Each row by its own answer, matched by its link, in one transaction.

    Rows without an answer leave the batch uncertain. But if Xero made rows that show none of our links, no look could
    find them either: then the rows are held for a person, for nothing may be sent again.
    """
    by_url = {answer.url: answer for answer in answers}
    everybody = members_of(batch)
    postings = [p for p in everybody if p.state in {PostingState.SENDING, PostingState.UNCERTAIN}]
    answered = [(posting, by_url[posting.url]) for posting in postings if posting.url in by_url]
    unknown = [posting.id for posting in postings if posting.url not in by_url]
    links = {posting.url for posting in everybody}
    with job.holding():
        store_posted(job, [(posting, answer) for posting, answer in answered if answer.is_created])
        for posting, answer in answered:
            if not answer.is_created:
                store_refused(job, posting, answer.messages)
        if unknown and not any(answer.is_created and answer.url not in links for answer in answers):
            store_uncertain(job, batch, f"Xero's answer names {len(answered)} of {len(postings)} rows")
            return
        if unknown:
            move(Posting.id.in_(unknown), PostingState.HELD, job.now(), reason=Held.UNRECOGNISED)
        batch.state, batch.problem, batch.resolved_at = BatchState.RESOLVED, "", job.now()
        store_progress(batch)


def store_posted(job: Job, rows: Sequence[tuple[Known, BankTransaction]], detail: str = "") -> None:
    """Xero has these: as posted, or as deleted there by a person. Call it inside `job.holding()`."""
    for state, deleted in ((PostingState.POSTED, False), (PostingState.DELETED, True)):
        ids = [
            (posting.id, row.bank_transaction_id, row.bank_account.account_id)
            for posting, row in rows
            if row.is_deleted == deleted
        ]
        move_into_xero(ids, state, job.now(), detail)
    count_posted(job.run.id, len(rows))


def store_refused(job: Job, posting: Member, messages: list[str]) -> None:
    """Xero refused this row: held or rejected, in Xero's own words. Call it inside `job.holding()`."""
    refusals = posting.refusals + 1
    reason = meaning(messages, refusals)
    state = PostingState.REJECTED if isinstance(reason, Rejected) else PostingState.HELD
    detail = "; ".join(messages)
    move(Posting.id == posting.id, state, job.now(), reason=reason, detail=detail, alone=False, refusals=refusals)
