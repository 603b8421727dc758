"""The outbox relay: publish what transactions left behind, and mark only what the broker has confirmed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from uuid import uuid4

from clients.clock import Clock
from messaging.messages import encode
from messaging.publisher import Publisher
from models.outbox import claim_unsent, mark_sent, release_unsent

BATCH = 1_000  # messages claimed and confirmed at once


@dataclass(frozen=True)
class Relay:
    """Any number may run at once: each claims its own messages. A message may be published twice, never not at all."""

    publisher: Publisher
    clock: Clock
    name: str = field(default_factory=lambda: uuid4().hex)

    def turn(self) -> int:
        """Publish up to a thousand messages; how many the broker confirmed. What it did not is free for the next turn.

        Raises BrokerUnreachable when the broker answered nothing; the messages stay.
        """
        claimed = claim_unsent(self.name, self.clock(), BATCH)
        if not claimed:
            return 0
        outgoing = [(m.lane, encode(m.actor, m.lane, json.loads(m.arguments))) for m in claimed]
        try:
            confirmed = self.publisher.publish(outgoing)
            sent = [message.id for message, safe in zip(claimed, confirmed, strict=True) if safe]
            mark_sent(sent, self.clock())
        finally:
            release_unsent(self.name)
        return len(sent)
