"""The outbox: messages and events written with the effect that they tell of, published by a relay afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from peewee import SQL, BigAutoField, TextField

from models.database import Table, UtcField
from models.statements import run

CLAIM = timedelta(seconds=60)  # longer than the relay waits for confirms


class OutboxMessage(Table):
    """A message to an actor: `actor` is its name on the wire, `arguments` a JSON object of ids."""

    id = BigAutoField()
    lane = TextField()
    actor = TextField()
    arguments = TextField()
    created_at = UtcField()
    claimed_by = TextField(default="")
    claimed_until = UtcField(null=True)
    sent_at = UtcField(null=True)


class OutboxEvent(Table):
    """An event to Qonto's core: `type` is its routing key, `body` all of it as text, however often it is published.

    A table of its own, because its broker may be away while the one of our jobs is not.
    """

    id = BigAutoField()
    type = TextField()
    body = TextField()
    created_at = UtcField()
    claimed_by = TextField(default="")
    claimed_until = UtcField(null=True)
    sent_at = UtcField(null=True)


UNSENT = SQL("sent_at IS NULL")  # what was sent stays for ever, and no index of ours grows with it
OutboxMessage.add_index(
    OutboxMessage.index(OutboxMessage.lane, OutboxMessage.id, name="outbox_message_unsent", where=UNSENT)
)
OutboxEvent.add_index(OutboxEvent.index(OutboxEvent.id, name="outbox_event_unsent", where=UNSENT))

Row = TypeVar("Row", OutboxMessage, OutboxEvent)
TELL = "INSERT INTO outbox_event (type, body, created_at, claimed_by) VALUES ({type}, {body}, {now}, '')"


def announce(lane: str, actor: str, now: datetime, **arguments: str | int) -> None:
    """Write a message that is published once the surrounding transaction commits."""
    OutboxMessage.create(lane=lane, actor=actor, arguments=json.dumps(arguments), created_at=now)


def tell(type_: str, body: str, now: datetime) -> None:
    """Write an event that is published once the surrounding transaction commits."""
    run(TELL, type=type_, body=body, now=now)


def claim_unsent(outbox: type[Row], relay: str, now: datetime, limit: int, lane: str | None = None) -> list[Row]:
    """Claim up to `limit` unsent rows, of one lane if it is named, for a minute; return them in order of id.

    Rows that another relay has claimed are left to it.
    """
    free = outbox.sent_at.is_null() & (outbox.claimed_until.is_null() | (outbox.claimed_until < now))
    wanted = free if lane is None else free & (OutboxMessage.lane == lane)
    oldest = outbox.select(outbox.id).where(wanted).order_by(outbox.id).limit(limit)
    ids = [row.id for row in oldest]  # as values: a planner may join a sub-select row by row
    if not ids:
        return []
    claim = outbox.update(claimed_by=relay, claimed_until=now + CLAIM).where(outbox.id.in_(ids) & free)
    return sorted(claim.returning(outbox), key=lambda row: row.id)


def mark_sent(outbox: type[Row], ids: Sequence[int], now: datetime) -> None:
    """Record that the broker confirmed these rows."""
    if ids:
        outbox.update(sent_at=now, claimed_until=None).where(outbox.id.in_(list(ids))).execute()


def release(outbox: type[Row], relay: str, ids: Sequence[int]) -> None:
    """Give back those of these rows that this relay still claims and could not publish."""
    if ids:
        outbox.update(claimed_by="", claimed_until=None).where(
            outbox.id.in_(list(ids)) & (outbox.claimed_by == relay) & outbox.sent_at.is_null()
        ).execute()
