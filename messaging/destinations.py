"""Where a publisher's messages go: the lanes of our jobs, or the exchange on which Qonto's core is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from messaging.queues import declare_lane

TOLD_EXCHANGE = "xero_sync.events"
CLOUDEVENTS = "application/cloudevents+json; charset=utf-8"


@dataclass(frozen=True)
class Destination:
    """`prepare` declares on a new channel what must be there. `declare_queue` declares what a returned message lacked;
    where there is none, a message that no queue wants counts as safe, and is only counted.
    """

    exchange: str
    prepare: Callable[[Any], object]
    declare_queue: Callable[[Any, str], object] | None
    content_type: str | None


def _declare_exchange(channel: Any) -> None:
    channel.exchange_declare(TOLD_EXCHANGE, "topic", durable=True)


# The default exchange leads to the queue that a routing key names.
LANES = Destination("", prepare=lambda _: None, declare_queue=declare_lane, content_type=None)

# Who wants to be told binds a queue of its own; if nobody does, there is nobody to tell.
QONTO_CORE = Destination(TOLD_EXCHANGE, prepare=_declare_exchange, declare_queue=None, content_type=CLOUDEVENTS)
