"""What came of a request, each outcome in one transaction: uncertain, or row by row what Xero answered."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from clients.decoding import Rows
from clients.xero.bank_transactions import AnsweredElement, BankTransaction, UnreadableBankTransaction
from domain.calendar import local_date
from domain.echo import differences, refused_elements
from domain.reasons import Again, Held, Noted, Rejected
from domain.refusals import meaning
from domain.sent_bytes import elements_of
from models.posting import Member, Posting, move, move_into_xero, note_echo, refused_at, transaction_of
from models.posting_batch import PostingBatch, members_of, store_progress
from models.states import BatchState, PostingState
from models.sync_run import count_posted
from services.job import Job

log = logging.getLogger(__name__)

UNLINKED = "Xero's answer shows created rows without our links"  # `refused` of a batch that is only looked up


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


def store_outcome(job: Job, batch: PostingBatch, answers: Rows[AnsweredElement, UnreadableBankTransaction]) -> None:
    """Each row by its own answer, matched by its link, in one transaction; refusals without a link by elimination.

    Rows without an answer leave the batch uncertain. If Xero made rows that show none of our links, it is only looked
    up from then on, and what no look finds is held, for nothing of it may be sent again.
    """
    everybody = members_of(batch)
    postings = [p for p in everybody if p.state in {PostingState.SENDING, PostingState.UNCERTAIN}]
    sent = elements_of(bytes(batch.body))
    by_url = {answer.url: answer for answer in answers} | dict(_by_elimination(everybody, sent, answers))
    answered = [(posting, by_url[posting.url]) for posting in postings if posting.url in by_url]
    unknown = [posting.id for posting in postings if posting.url not in by_url]
    links = {posting.url for posting in everybody}
    with job.holding():
        created = [(posting, answer) for posting, answer in answered if answer.is_created]
        store_posted(job, created)
        for posting, answer in created:
            _compare(job, posting, sent[posting.url], answer)
        for posting, answer in answered:
            if not answer.is_created:
                store_refused(job, posting, answer.messages)
        if unknown:
            has_strangers = any(answer.is_created and answer.url not in links for answer in answers)
            problem = f"Xero's answer names {len(answered)} of {len(postings)} rows"
            store_uncertain(job, batch, problem, refused=UNLINKED if has_strangers else "")
            return
        batch.state, batch.problem, batch.resolved_at = BatchState.RESOLVED, "", job.now()
        store_progress(batch)


def _by_elimination(
    everybody: Sequence[Member], sent: Mapping[str, Any], answers: Rows[AnsweredElement, UnreadableBankTransaction]
) -> Iterator[tuple[str, AnsweredElement]]:
    """Yield the link of each refusal that shows none, if it is certain. A created row is never matched so."""
    links = {posting.url for posting in everybody}
    strangers = [answer for answer in answers if answer.url not in links]
    if answers.unreadable or any(answer.url or answer.is_created for answer in strangers):
        return
    missing = links - {answer.url for answer in answers}
    for element, answer in refused_elements([sent[url] for url in sorted(missing)], strangers):
        yield element["Url"], answer


def _compare(job: Job, posting: Member, sent: Mapping[str, Any], answer: AnsweredElement) -> None:
    """Note what Xero shows otherwise than it was sent. It is in Xero all the same, so nothing is sent again."""
    told = differences(sent, posting.currency, answer)
    if told:
        log.error("batch %s: Xero answered posting %s otherwise than it was sent", posting.batch_id, posting.id)
        note_echo(posting.id, Noted.ECHO, told, job.now())
        job.notes.append(f"Xero took {transaction_of(posting.id)} otherwise than it was sent: {told}")


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


def _was_refused_today(job: Job, posting: Member) -> bool:
    """Return whether a refusal of this local date was counted: a sync that a person asks for is no further night."""
    last = refused_at(posting.id, Held.REFUSED)
    zone = job.organisation.time_zone
    return last is not None and local_date(last, zone) == local_date(job.now(), zone)


def store_refused(job: Job, posting: Member, messages: list[str]) -> None:
    """Xero refused this row: due again, held or rejected, in Xero's own words. Call it inside `job.holding()`."""
    refusals = posting.refusals + (0 if _was_refused_today(job, posting) else 1)
    reason = meaning(messages, refusals, alone=posting.alone)
    which, detail = Posting.id == posting.id, "; ".join(messages)
    if isinstance(reason, Again):
        move(which, PostingState.DUE, job.now(), reason=reason, detail=detail, alone=True)
        return
    state = PostingState.REJECTED if isinstance(reason, Rejected) else PostingState.HELD
    move(which, state, job.now(), reason=reason, detail=detail, alone=False, refusals=refusals)
