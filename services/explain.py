"""The whole story of a transaction, in order: when it was read, sent, answered, looked up, held, let go, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from domain.money import in_words, signed
from domain.reasons import sentence
from models.organisation import Organisation
from models.posting import Posting, PostingEvent
from models.posting_batch import PostingBatch
from models.states import PostingState


@dataclass(frozen=True)
class Step:
    """One thing that happened, in words."""

    at: datetime
    what: str


@dataclass(frozen=True)
class Story:
    """A transaction in one Xero organisation: what it is now, why, and how it came to be so."""

    transaction_id: str
    organisation: str
    tenant_id: str
    state: str
    reason: str
    detail: str
    amount: str
    date: str
    bank_transaction_id: str
    steps: list[Step]


def explain(transaction: str) -> list[Story]:
    """The stories of a transaction given by Qonto's id or Xero's; one for each Xero organisation that has it."""
    found = (
        Posting.select()
        .where(
            (Posting.transaction_id == transaction)
            | ((Posting.bank_transaction_id == transaction) & (Posting.bank_transaction_id != ""))
        )
        .order_by(Posting.id)
    )
    return [_story(posting) for posting in found]


def _story(posting: Posting) -> Story:
    return Story(
        transaction_id=posting.transaction_id,
        organisation=Organisation.get_by_id(posting.organisation_id).slug,
        tenant_id=posting.tenant_id,
        state=posting.state,
        reason=sentence(posting.reason),
        detail=posting.reason_detail,
        amount=in_words(signed(posting.side, posting.amount_cents), posting.currency),
        date=posting.date.isoformat(),
        bank_transaction_id=posting.bank_transaction_id,
        steps=sorted(_steps(posting), key=lambda step: step.at),
    )


def _steps(posting: Posting) -> Iterator[Step]:
    yield Step(posting.created_at, "read from Qonto")
    events = list(PostingEvent.select().where(PostingEvent.posting_id == posting.id).order_by(PostingEvent.id))
    for event in events:
        yield Step(event.at, _in_words(event))
    batch_ids = {event.batch_id for event in events if event.batch_id}
    for batch in PostingBatch.select().where(PostingBatch.id.in_(batch_ids or {0})).order_by(PostingBatch.id):
        yield from _batch_steps(batch)


def _in_words(event: PostingEvent) -> str:
    words = event.state.replace("_", " ")
    if event.state == PostingState.SENDING:
        words += f" in batch {event.batch_id}"
    if event.reason:
        words += f": {sentence(event.reason)}"
    return f"{words} ({event.detail})" if event.detail else words


def _batch_steps(batch: PostingBatch) -> Iterator[Step]:
    name = f"batch {batch.id} (attempt {batch.attempt}, {batch.size} transactions)"
    if batch.first_sent_at:
        yield Step(batch.first_sent_at, f"{name} first sent to Xero")
    if batch.last_sent_at and batch.sends > 1:
        yield Step(batch.last_sent_at, f"{name} sent again, {batch.sends} times in all, with the same bytes and key")
    if batch.looked_up_at:
        yield Step(batch.looked_up_at, f"looked in Xero: {batch.looked_up_found} of {name} were there")
