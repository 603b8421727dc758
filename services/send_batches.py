"""Send stored requests, a few at once, and store what comes of each. What one says counts for no other.

Only an answer that speaks for the rows is an outcome. A limit, a refused token or a refusal at the door is none: what
stands in front of Xero may say so after Xero has done the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from clients.errors import AccessExpired, Permanent, RateLimited, Refused, RemoteError, Temporary, TooLate
from clients.http import Answer
from clients.steady import steady_seconds
from clients.xero.bank_transactions import put_bank_transactions, read_created
from domain.call_limits import IN_PROGRESS
from domain.recovery import SEND_WITHIN, Instant, LookUp, Send, Step, next_step
from failpoints import hit
from models.posting_batch import PostingBatch, store_progress
from models.states import BatchState
from services.in_flight import Landed
from services.job import Job
from services.store_outcome import store_outcome, store_uncertain
from settings import Secret

INVALID = 400  # the one status with which Xero says what is wrong with a row


@dataclass(frozen=True)
class Sending:
    """A request under way, and under which token."""

    batch: PostingBatch
    token: Secret


def send_batches(job: Job, batches: Iterator[PostingBatch]) -> None:
    """Send each, for the first time or again with the same bytes and key, until one must wait for all.

    RateLimited, Refused, or a token that cannot be had: nothing more is started, everything under way is awaited, and
    then it is raised. Whatever has no readable answer makes its batch uncertain.
    """
    stop: RemoteError | None = None
    renewed: list[Secret] = []
    while True:
        try:
            while stop is None and job.in_flight.count < IN_PROGRESS and (batch := next(batches, None)):
                _start(job, batch)
            if not job.in_flight.count:
                break
            _store(job, job.in_flight.land(), renewed)
        except (RateLimited, Refused, Temporary) as error:
            stop = stop or error
    if stop:
        raise stop


def _start(job: Job, batch: PostingBatch) -> None:
    token = job.xero.tokens.current()
    job.xero.budget.take_of_app()
    not_after = steady_seconds() + SEND_WITHIN.total_seconds()
    if not _store_sending(job, batch):
        return
    body, key = bytes(batch.body), batch.key

    def call() -> Answer:
        hit("presend")
        answer = put_bank_transactions(job.xero, token, body, key, not_after)
        hit("answered")
        return answer

    job.in_flight.start(Sending(batch, token), call)


def _store_sending(job: Job, batch: PostingBatch) -> bool:
    """Whether it may still go out: getting a token, or the lease's lock, may have taken longer than Xero's memory."""
    with job.holding():
        now = job.instant()
        if not isinstance(step_of(batch, now), Send):
            return False
        batch.state = BatchState.SENDING
        batch.sends += 1
        if batch.first_sent_at is None:
            batch.first_sent_at, batch.first_sent_machine = now.database, now.machine
        batch.last_sent_at, batch.last_sent_machine = now.database, now.machine
        batch.fence = job.lease.fence
        store_progress(batch)
        job.xero.budget.count()
    return True


def _store(job: Job, landed: Landed[Sending, Answer], renewed: list[Secret]) -> None:
    batch, token = landed.about.batch, landed.about.token
    try:
        answers = read_created(job.xero, landed.result)
    except (Temporary, TooLate) as error:
        store_uncertain(job, batch, error.problem)
    except (RateLimited, Refused) as error:
        store_uncertain(job, batch, error.problem)
        raise
    except AccessExpired as error:
        store_uncertain(job, batch, error.problem)
        if token in renewed:
            raise Refused(error.call, f"refused with a fresh token too: {error.problem}") from error
        renewed.append(job.xero.tokens.renew(token))
    except Permanent as error:
        store_uncertain(job, batch, error.problem, refused=_words_of_xero(error) or error.problem)
    else:
        job.xero.tokens.is_accepted = True
        store_outcome(job, batch, answers)
        hit("posted")
    finally:
        job.xero.budget.settle()


def _words_of_xero(error: Permanent) -> str:
    return "; ".join(error.messages) if error.status == INVALID else ""


def step_of(batch: PostingBatch, now: Instant) -> Step:
    """Return what the rules of recovery say about a batch without an outcome; one looked up is never sent again."""
    if batch.looked_up_at is not None:
        return LookUp()
    return next_step(
        first_sent=_instant(batch.first_sent_at, batch.first_sent_machine),
        last_sent=_instant(batch.last_sent_at, batch.last_sent_machine),
        sends=batch.sends,
        refused=bool(batch.refused),
        now=now,
    )


def _instant(database: datetime | None, machine: datetime | None) -> Instant | None:
    return Instant(database, machine or database) if database else None
