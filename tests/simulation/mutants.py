"""Rules of the product, broken on purpose: a simulator that does not see each of them broken is worthless."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any

import pytest

import clients.xero.bank_transactions as xero_rows
import services.recover_batches as recovery
import services.send_batches as sending
from clients.xero.bank_transactions import BankTransaction, list_bank_transactions
from domain.recovery import Instant, LookUp, Send
from models.database import transaction
from models.lease import Lease
from models.posting_batch import PostingBatch, store_progress
from models.states import BatchState
from services import look_up
from services.job import Job
from services.store_outcome import store_uncertain

Mutant = Callable[[pytest.MonkeyPatch], None]

REAL_STORE = sending._store
REAL_STORE_SENDING = sending._store_sending


def no_wait_window(patch: pytest.MonkeyPatch) -> None:
    """Conclude as soon as nothing of ours is on its way."""
    patch.setattr("domain.recovery.PROOF_AFTER", timedelta(0))


def replays_for_eight_minutes(patch: pytest.MonkeyPatch) -> None:
    """Send again under a key that Xero has forgotten."""
    patch.setattr("domain.recovery.REPLAY_WINDOW", timedelta(minutes=8))
    patch.setattr("domain.recovery.PROOF_AFTER", timedelta(minutes=10))


def deleted_rows_not_counted(patch: pytest.MonkeyPatch) -> None:
    """The look-up passes over what a person deleted."""

    def only_live(*args: Any) -> Iterator[BankTransaction]:
        return (row for row in list_bank_transactions(*args) if not row.is_deleted)

    patch.setattr(look_up, "list_bank_transactions", only_live)


def only_the_first_page(patch: pytest.MonkeyPatch) -> None:
    """The look-up concludes from a list that goes on."""

    def first_page(*args: Any) -> Iterator[BankTransaction]:
        return islice(list_bank_transactions(*args), xero_rows.PAGE)

    patch.setattr(look_up, "list_bank_transactions", first_page)


def another_key_for_each_replay(patch: pytest.MonkeyPatch) -> None:
    numbers = count(1)

    def store_sending(job: Job, batch: PostingBatch) -> bool:
        if batch.sends:
            batch.key = f"key-{next(numbers)}"
        return REAL_STORE_SENDING(job, batch)

    patch.setattr(sending, "_store_sending", store_sending)


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """Whoever once held the lease may write."""

    @contextmanager
    def holding(_: Lease) -> Iterator[None]:
        with transaction():
            yield

    patch.setattr(Lease, "holding", holding)


def intent_after_the_request(patch: pytest.MonkeyPatch) -> None:
    """That a request was sent is stored when its answer is there."""

    def may_send(job: Job, batch: PostingBatch) -> bool:
        return isinstance(sending.step_of(batch, job.instant()), Send)

    def store(job: Job, landed: Any, renewed: Any) -> None:
        REAL_STORE_SENDING(job, landed.about.batch)
        REAL_STORE(job, landed, renewed)

    patch.setattr(sending, "_store_sending", may_send)
    patch.setattr(sending, "_store", store)


def _trust(patch: pytest.MonkeyPatch, clock: str) -> None:
    def since(now: Instant, earlier: Instant) -> tuple[timedelta, timedelta]:
        passed = getattr(now, clock) - getattr(earlier, clock)
        return passed, passed

    patch.setattr(Instant, "since", since)


def only_the_database_clock(patch: pytest.MonkeyPatch) -> None:
    _trust(patch, "database")


def only_the_machine_clock(patch: pytest.MonkeyPatch) -> None:
    _trust(patch, "machine")


def looks_back_by_the_database_clock(patch: pytest.MonkeyPatch) -> None:
    """The look-up asks for what changed since a moment that a wrong clock told."""

    def find(job: Job, postings: Any, since: datetime) -> look_up.Found:
        batches = PostingBatch.select().where(PostingBatch.id.in_([posting.batch_id for posting in postings]))
        told = [batch.first_sent_at for batch in batches if batch.first_sent_at]
        return look_up.find_in_xero(job, postings, min(told, default=since))

    patch.setattr(recovery, "find_in_xero", find)


def sends_however_late(patch: pytest.MonkeyPatch) -> None:
    """A process that was held up sends what it decided long ago."""
    patch.setattr(sending, "SEND_WITHIN", timedelta(days=1))


def looks_up_what_may_be_sent(patch: pytest.MonkeyPatch) -> None:
    """What could be sent again by now is looked up instead, however young it is."""
    patch.setattr(recovery, "LookUp", (LookUp, Send))


def _store_never_sent(job: Job, batch: PostingBatch) -> None:
    batch.state, batch.sends = BatchState.INTENDED, 0
    batch.first_sent_at = batch.last_sent_at = batch.first_sent_machine = batch.last_sent_machine = None
    with job.holding():
        store_progress(batch)


def an_error_means_nothing_happened(patch: pytest.MonkeyPatch) -> None:
    """No answer is taken for a refusal."""
    patch.setattr(sending, "store_uncertain", lambda job, batch, *_, **__: _store_never_sent(job, batch))


def a_refusal_at_the_door_means_nothing_happened(patch: pytest.MonkeyPatch) -> None:
    """A 401, 403 or 429 takes a batch back to where it was before it was sent."""

    def store(job: Job, batch: PostingBatch, problem: str, refused: str = "") -> None:
        if problem.startswith(("401", "403", "429")):
            _store_never_sent(job, batch)
        else:
            store_uncertain(job, batch, problem, refused)

    patch.setattr(sending, "store_uncertain", store)


MUTANTS: tuple[Mutant, ...] = (
    no_wait_window,
    replays_for_eight_minutes,
    deleted_rows_not_counted,
    only_the_first_page,
    another_key_for_each_replay,
    no_fence,
    intent_after_the_request,
    only_the_database_clock,
    only_the_machine_clock,
    looks_back_by_the_database_clock,
    sends_however_late,
    looks_up_what_may_be_sent,
    an_error_means_nothing_happened,
    a_refusal_at_the_door_means_nothing_happened,
)
