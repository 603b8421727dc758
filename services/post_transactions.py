"""Send what is due, fifty at a time: intent first, then the request, then its outcome, each its own commit."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime

from clients.authorised import with_token
from clients.errors import AccessExpired, Permanent, RateLimited, Reconnect, Temporary
from clients.xero.bank_transactions import BankTransaction, freeze, put_bank_transactions
from domain.bank_transaction import BATCH_ROWS, to_xero
from domain.coding import CodingCodes
from domain.reasons import Held, Rejected
from domain.recovery import Send, Step, next_step
from domain.refusals import meaning
from models.bank_account import AccountLink, live_links
from models.organisation import Connection
from models.posting import Posting, due_postings, members, move, record_bank_transactions
from models.posting_batch import PostingBatch
from models.states import BatchState, PostingState
from models.sync_run import SyncRun
from services.job import Job
from settings import Secret

log = logging.getLogger(__name__)


def post_transactions(job: Job) -> bool:
    """Send everything that is due; whether nothing is left to send. Raises RateLimited and Reconnect."""
    while not job.time_is_up():
        batch = freeze_batch(job)
        if batch is None:
            return True
        send_batch(job, batch)
    return False


def freeze_batch(job: Job) -> PostingBatch | None:
    """The next request, as stored: nothing of it has been sent. `None` when nothing is due that can be sent.

    What turns out to have no account to go to, or to be coded to, is held; it holds no other.
    """
    while due := due_postings(job.connection.id, BATCH_ROWS):
        links = live_links(job.tenant_id, job.organisation.id)
        codes = coding_codes(job.connection)
        homeless = [posting.id for posting in due if posting.bank_account_id not in links]
        uncoded = [posting.id for posting in due if not codes.code_for(posting.side, posting.operation_type)]
        if not homeless and not uncoded:
            return _freeze(job, due, links, codes)
        with job.holding():
            move(Posting.id.in_(uncoded), PostingState.HELD, job.now(), reason=Held.CODING_ACCOUNT)
            move(Posting.id.in_(homeless), PostingState.HELD, job.now(), reason=Held.NO_ACCOUNT)
    return None


def _freeze(job: Job, due: list[Posting], links: dict[str, AccountLink], codes: CodingCodes) -> PostingBatch:
    body = freeze(
        [
            to_xero(
                posting,
                account_id=links[posting.bank_account_id].xero_account_id,
                account_code=codes.code_for(posting.side, posting.operation_type),
            )
            for posting in due
        ]
    )
    now = job.now()
    with job.holding():
        batch = PostingBatch.create(
            tenant_id=job.tenant_id,
            connection_id=job.connection.id,
            attempt=1 + max(posting.attempts for posting in due),
            key=_key(job, body, due),
            body=body,
            body_sha256=hashlib.sha256(body).hexdigest(),
            size=len(due),
            state=BatchState.INTENDED,
            fence=job.lease.fence,
            created_at=now,
        )
        move(
            Posting.id.in_([posting.id for posting in due]),
            PostingState.SENDING,
            now,
            batch_id=batch.id,
            attempts=Posting.attempts + 1,
        )
    return batch


def coding_codes(connection: Connection) -> CodingCodes:
    """What the connection's lines are coded to."""
    return CodingCodes(
        connection.money_in_code, connection.money_out_code, connection.fees_code, connection.default_code
    )


def _key(job: Job, body: bytes, due: list[Posting]) -> str:
    """The Idempotency-Key: Xero's keys are shared by a whole app, so the tenant is part of it, and the attempt."""
    attempts = ",".join(f"{posting.id}:{posting.attempts + 1}" for posting in due)
    return hashlib.sha256(f"{job.tenant_id}|{attempts}|".encode() + body).hexdigest()


def send_batch(job: Job, batch: PostingBatch) -> None:
    """Send a stored request, for the first time or again with the same bytes and key, and store what came of it.

    RateLimited and Reconnect mean that Xero did not process it; they are stored as such and raised. Everything else
    without a readable answer makes the batch uncertain.
    """
    with_token(job.xero.tokens, lambda token: _send_once(job, batch, token))


def _send_once(job: Job, batch: PostingBatch, token: Secret) -> None:
    if not _store_sending(job, batch):
        return
    try:
        answers = put_bank_transactions(job.xero, token, bytes(batch.body), batch.key)
    except (RateLimited, Reconnect, AccessExpired):
        _store_unprocessed(job, batch)
        raise
    except Permanent as error:
        store_uncertain(job, batch, error.problem, refused="; ".join(error.messages) or error.problem)
    except Temporary as error:
        store_uncertain(job, batch, error.problem)
    else:
        _store_outcome(job, batch, answers)


def _store_sending(job: Job, batch: PostingBatch) -> bool:
    """Whether it may still go out: getting a token, or the lease's lock, may have taken longer than Xero's memory."""
    with job.holding():
        now = job.now()
        if not isinstance(step_of(batch, now), Send):
            return False
        batch.state = BatchState.SENDING
        batch.sends += 1
        batch.first_sent_at = batch.first_sent_at or now
        batch.last_sent_at = now
        batch.fence = job.lease.fence
        batch.save()
    return True


def step_of(batch: PostingBatch, now: datetime) -> Step:
    """What the rules of recovery say about a batch without an outcome."""
    return next_step(
        first_sent_at=batch.first_sent_at,
        last_sent_at=batch.last_sent_at,
        sends=batch.sends,
        refused=bool(batch.refused),
        now=now,
    )


def _store_unprocessed(job: Job, batch: PostingBatch) -> None:
    """This send had no effect. Unless an earlier one may have had, the batch is as if never sent."""
    with job.holding():
        batch.sends -= 1
        if batch.sends == 0:
            batch.state = BatchState.INTENDED
            batch.first_sent_at = batch.last_sent_at = None
        else:
            batch.state = BatchState.UNCERTAIN
        batch.save()


def store_uncertain(job: Job, batch: PostingBatch, problem: str, refused: str = "") -> None:
    """Xero may or may not have it; a person sees why, and recovery takes it from here."""
    log.warning("batch %s is uncertain: %s", batch.id, problem)
    with job.holding():
        batch.state, batch.problem, batch.refused = BatchState.UNCERTAIN, problem, refused
        batch.save()
        still = (Posting.batch_id == batch.id) & (Posting.state == PostingState.SENDING)
        move(still, PostingState.UNCERTAIN, job.now(), detail=problem)


def _store_outcome(job: Job, batch: PostingBatch, answers: list[BankTransaction]) -> None:
    """Each row by its own answer, matched by its link, in one transaction.

    Rows without an answer leave the batch uncertain. But if Xero made rows that show none of our links, no look could
    find them either: then the rows are held for a person, for nothing may be sent again.
    """
    by_url = {answer.url: answer for answer in answers}
    postings = [p for p in members([batch.id]) if p.state in {PostingState.SENDING, PostingState.UNCERTAIN}]
    answered = [(posting, by_url[posting.url]) for posting in postings if posting.url in by_url]
    unknown = [posting.id for posting in postings if posting.url not in by_url]
    links = {posting.url for posting in members([batch.id])}
    with job.holding():
        store_posted(job, [(posting, answer) for posting, answer in answered if answer.is_created])
        for posting, answer in answered:
            if not answer.is_created:
                store_refused(job, posting, answer.messages)
        if unknown and not any(answer.is_created and answer.url not in links for answer in answers):
            store_uncertain(job, batch, f"Xero's answer names {len(answered)} of {len(postings)} rows")
            return
        move(Posting.id.in_(unknown), PostingState.HELD, job.now(), reason=Held.UNRECOGNISED)
        batch.state, batch.problem, batch.resolved_at = BatchState.RESOLVED, "", job.now()
        batch.save()


def store_posted(job: Job, rows: list[tuple[Posting, BankTransaction]], detail: str = "") -> None:
    """Xero has these: as posted, or as deleted there by a person. Call it inside `job.holding()`."""
    record_bank_transactions(
        [(posting.id, row.bank_transaction_id, row.bank_account.account_id) for posting, row in rows]
    )
    for state, deleted in ((PostingState.POSTED, False), (PostingState.DELETED, True)):
        ids = [posting.id for posting, row in rows if row.is_deleted == deleted]
        if ids:
            move(Posting.id.in_(ids), state, job.now(), detail=detail)
    job.posted += len(rows)
    SyncRun.update(posted=SyncRun.posted + len(rows)).where(SyncRun.id == job.run.id).execute()


def store_refused(job: Job, posting: Posting, messages: list[str]) -> None:
    """Xero refused this row: held or rejected, in Xero's own words. Call it inside `job.holding()`."""
    refusals = posting.refusals + 1
    reason = meaning(messages, refusals)
    state = PostingState.REJECTED if isinstance(reason, Rejected) else PostingState.HELD
    detail = "; ".join(messages)
    move(Posting.id == posting.id, state, job.now(), reason=reason, detail=detail, alone=False, refusals=refusals)
