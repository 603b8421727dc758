"""The relays of the outbox: publish what transactions left behind, and mark only what the broker has confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic
from uuid import uuid4

from clients.clock import Clock
from messaging.messages import encode
from messaging.publisher import Outgoing, Publisher
from metrics import PUBLISHED
from models.outbox import OutboxEvent, OutboxMessage, Row, claim_unsent, mark_sent, release
from models.states import Lane

BATCH = 1_000  # rows claimed and confirmed at once


@dataclass(frozen=True)
class Relay(Generic[Row]):
    """Publish the rows of one outbox, or of one lane of it, at least once and each time with the same body.

    Any number of relays may run at once: each claims rows of its own. A relay has a publisher of its own, so that a
    lane which is full, or a broker that is away, delays no other.
    """

    outbox: type[Row]
    outgoing: Callable[[Row], Outgoing]
    publisher: Publisher
    clock: Clock
    counted_as: str
    lane: Lane | None = None
    name: str = field(default_factory=lambda: uuid4().hex)

    def turn(self) -> Published:
        """Publish up to a thousand rows, and free those that the broker did not confirm.

        Raises BrokerUnreachable when the broker answered nothing; the rows stay.
        """
        claimed = claim_unsent(self.outbox, self.name, self.clock(), BATCH, self.lane)
        if not claimed:
            return Published(0, 0)
        sent: list[int] = []
        try:
            confirmed = self.publisher.publish([self.outgoing(row) for row in claimed])
            sent = [row.id for row, safe in zip(claimed, confirmed, strict=True) if safe]
            mark_sent(self.outbox, sent, self.clock())
        finally:
            release(self.outbox, self.name, [row.id for row in claimed])
            PUBLISHED.labels(self.counted_as, "confirmed").inc(len(sent))
            PUBLISHED.labels(self.counted_as, "unconfirmed").inc(len(claimed) - len(sent))
        return Published(len(sent), len(claimed) - len(sent))


@dataclass(frozen=True)
class Published:
    """How many rows the broker confirmed in a turn, and how many it did not."""

    confirmed: int
    unconfirmed: int


def lane_relay(lane: Lane, publisher: Publisher, clock: Clock) -> Relay[OutboxMessage]:
    """Return the relay of one lane's messages to our workers."""
    return Relay(OutboxMessage, _outgoing, publisher, clock, "jobs", lane)


def event_relay(publisher: Publisher, clock: Clock) -> Relay[OutboxEvent]:
    """Return the relay of events to Qonto's core, which are routed by their types."""
    return Relay(OutboxEvent, lambda event: (event.type, event.body.encode()), publisher, clock, "events")


def _outgoing(message: OutboxMessage) -> Outgoing:
    return message.lane, encode(message.actor, message.lane, json.loads(message.arguments))
