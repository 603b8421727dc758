"""The outbox: messages written with the effect they announce, published by the relay afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from peewee import BigAutoField, TextField

from models.database import Table, UtcField

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


def announce(lane: str, actor: str, now: datetime, **arguments: str | int) -> None:
    """Write a message that is published once the surrounding transaction commits."""
    OutboxMessage.create(lane=lane, actor=actor, arguments=json.dumps(arguments), created_at=now)


def claim_unsent(relay: str, now: datetime, limit: int) -> list[OutboxMessage]:
    """Up to `limit` unsent messages that no other relay is publishing; they are this relay's for a minute."""
    free = OutboxMessage.sent_at.is_null() & (
        OutboxMessage.claimed_until.is_null() | (OutboxMessage.claimed_until < now)
    )
    oldest = OutboxMessage.select(OutboxMessage.id).where(free).order_by(OutboxMessage.id).limit(limit)
    ids = [message.id for message in oldest]  # as values: a planner may join a sub-select row by row
    claimed = (
        OutboxMessage.update(claimed_by=relay, claimed_until=now + CLAIM)
        .where(OutboxMessage.id.in_(ids) & free)
        .execute()
    )
    if not claimed:
        return []
    mine = (OutboxMessage.claimed_by == relay) & OutboxMessage.sent_at.is_null()
    return list(OutboxMessage.select().where(mine).order_by(OutboxMessage.id).limit(limit))


def mark_sent(message_ids: Sequence[int], now: datetime) -> None:
    """These were confirmed by the broker."""
    if message_ids:
        OutboxMessage.update(sent_at=now, claimed_until=None).where(OutboxMessage.id.in_(list(message_ids))).execute()


def release_unsent(relay: str) -> None:
    """Give back what this relay claimed and could not publish."""
    OutboxMessage.update(claimed_by="", claimed_until=None).where(
        (OutboxMessage.claimed_by == relay) & OutboxMessage.sent_at.is_null()
    ).execute()
