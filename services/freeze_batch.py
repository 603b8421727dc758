"""Intent first: the next request, frozen and stored before a byte of it is sent."""

from __future__ import annotations

import hashlib

from clients.xero.bank_transactions import freeze
from domain.bank_transaction import to_xero
from domain.coding import CodingCodes
from domain.reasons import Held
from failpoints import hit
from models.database import without_waiting_for_disk
from models.due_posting import DuePosting
from models.organisation import Connection
from models.posting import Member, Posting, move, move_into_batch
from models.posting_batch import PostingBatch, intend
from models.states import PostingState
from services.job import Job


def freeze_batch(job: Job, due: list[DuePosting]) -> PostingBatch | None:
    """A request of what is due, as stored: nothing of it has been sent. `None` when none of it can be sent.

    What turns out to have no account to go to, or to be coded to, is held; it holds no other.
    """
    codes = coding_codes(job.connection)
    homeless = {posting.id for posting in due if posting.bank_account_id not in job.links}
    uncoded = {posting.id for posting in due if not codes.code_for(posting.side, posting.operation_type)}
    if homeless or uncoded:
        with job.holding():
            move(Posting.id.in_(uncoded), PostingState.HELD, job.now(), reason=Held.CODING_ACCOUNT)
            move(Posting.id.in_(homeless), PostingState.HELD, job.now(), reason=Held.NO_ACCOUNT)
    sendable = [posting for posting in due if posting.id not in homeless | uncoded]
    return _freeze(job, sendable, codes) if sendable else None


def _freeze(job: Job, due: list[DuePosting], codes: CodingCodes) -> PostingBatch:
    body = freeze(
        [
            to_xero(
                posting,
                account_id=job.links[posting.bank_account_id].xero_account_id,
                account_code=codes.code_for(posting.side, posting.operation_type),
            )
            for posting in due
        ]
    )
    now = job.now()
    with job.holding():
        without_waiting_for_disk()  # the commit that precedes the request waits, and for this one too
        batch = intend(
            body,
            now,
            tenant_id=job.tenant_id,
            connection_id=job.connection.id,
            attempt=1 + max(posting.attempts for posting in due),
            key=_key(job, body, due),
            body_sha256=hashlib.sha256(body).hexdigest(),
            size=len(due),
            fence=job.lease.fence,
        )
        move_into_batch([posting.id for posting in due], batch.id, now)
    batch.frozen = [
        Member(
            *(posting.id, batch.id, posting.url, PostingState.SENDING, posting.attempts + 1, posting.refusals),
            *(posting.alone, posting.currency),
        )
        for posting in due
    ]
    job.sent += len(due)
    hit("planned")
    return batch


def coding_codes(connection: Connection) -> CodingCodes:
    """What the connection's lines are coded to."""
    return CodingCodes(
        connection.money_in_code, connection.money_out_code, connection.fees_code, connection.default_code
    )


def _key(job: Job, body: bytes, due: list[DuePosting]) -> str:
    """The Idempotency-Key: Xero's keys are shared by a whole app, so the tenant is part of it, and the attempt."""
    attempts = ",".join(f"{posting.id}:{posting.attempts + 1}" for posting in due)
    return hashlib.sha256(f"{job.tenant_id}|{attempts}|".encode() + body).hexdigest()
