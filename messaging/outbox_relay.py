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
from models.outbox import OutboxEvent, OutboxMessage, Row, claim_unsent, mark_sent, release_unsent

BATCH = 1_000  # rows claimed and confirmed at once


@dataclass(frozen=True)
class Relay(Generic[Row]):
    """Of one kind of row. Any number may run at once: each claims rows of its own. One may be published twice, with the
    same body, never not at all.
    """

    outbox: type[Row]
    outgoing: Callable[[Row], Outgoing]
    publisher: Publisher
    clock: Clock
    counted_as: str
    name: str = field(default_factory=lambda: uuid4().hex)

    def turn(self) -> int:
        """Publish up to a thousand rows; how many the broker confirmed. What it did not is free for the next turn.

        Raises BrokerUnreachable when the broker answered nothing; the rows stay.
        """
        claimed = claim_unsent(self.outbox, self.name, self.clock(), BATCH)
        if not claimed:
            return 0
        sent: list[int] = []
        try:
            confirmed = self.publisher.publish([self.outgoing(row) for row in claimed])
            sent = [row.id for row, safe in zip(claimed, confirmed, strict=True) if safe]
            mark_sent(self.outbox, sent, self.clock())
        finally:
            release_unsent(self.outbox, self.name)
            PUBLISHED.labels(self.counted_as, "confirmed").inc(len(sent))
            PUBLISHED.labels(self.counted_as, "unconfirmed").inc(len(claimed) - len(sent))
        return len(sent)


def job_relay(publisher: Publisher, clock: Clock) -> Relay[OutboxMessage]:
    """Messages to our workers, each on its lane."""
    return Relay(
        OutboxMessage, lambda m: (m.lane, encode(m.actor, m.lane, json.loads(m.arguments))), publisher, clock, "jobs"
    )


def event_relay(publisher: Publisher, clock: Clock) -> Relay[OutboxEvent]:
    """Events to Qonto's core, by their types."""
    return Relay(OutboxEvent, lambda event: (event.type, event.body.encode()), publisher, clock, "events")
