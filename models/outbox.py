"""The outbox: messages and events written with the effect that they tell of, published by a relay afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from peewee import BigAutoField, TextField

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

    class Meta:
        indexes = ((("sent_at", "id"), False),)


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

    class Meta:
        indexes = ((("sent_at", "id"), False),)


Row = TypeVar("Row", OutboxMessage, OutboxEvent)
TELL = "INSERT INTO outbox_event (type, body, created_at, claimed_by) VALUES ({type}, {body}, {now}, '')"


def announce(lane: str, actor: str, now: datetime, **arguments: str | int) -> None:
    """Write a message that is published once the surrounding transaction commits."""
    OutboxMessage.create(lane=lane, actor=actor, arguments=json.dumps(arguments), created_at=now)


def tell(type_: str, body: str, now: datetime) -> None:
    """Write an event that is published once the surrounding transaction commits."""
    run(TELL, type=type_, body=body, now=now)


def claim_unsent(outbox: type[Row], relay: str, now: datetime, limit: int) -> list[Row]:
    """Up to `limit` unsent rows that no other relay is publishing; they are this relay's for a minute."""
    free = outbox.sent_at.is_null() & (outbox.claimed_until.is_null() | (outbox.claimed_until < now))
    oldest = outbox.select(outbox.id).where(free).order_by(outbox.id).limit(limit)
    ids = [row.id for row in oldest]  # as values: a planner may join a sub-select row by row
    if not ids:
        return []
    claim = outbox.update(claimed_by=relay, claimed_until=now + CLAIM).where(outbox.id.in_(ids) & free)
    if not claim.execute():
        return []
    mine = (outbox.claimed_by == relay) & outbox.sent_at.is_null()
    return list(outbox.select().where(mine).order_by(outbox.id).limit(limit))


def mark_sent(outbox: type[Row], ids: Sequence[int], now: datetime) -> None:
    """These were confirmed by the broker."""
    if ids:
        outbox.update(sent_at=now, claimed_until=None).where(outbox.id.in_(list(ids))).execute()


def release_unsent(outbox: type[Row], relay: str) -> None:
    """Give back what this relay claimed and could not publish."""
    outbox.update(claimed_by="", claimed_until=None).where(
        (outbox.claimed_by == relay) & outbox.sent_at.is_null()
    ).execute()
