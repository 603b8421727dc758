"""Where Qonto's core publishes its events, and the queue in which ours wait (docs/events is the contract)."""

from __future__ import annotations

from typing import Any

from messaging.queues import DELIVERY_LIMIT, NO_DELIVERY_LIMIT, quorum_arguments

EXCHANGE = "qonto.events"
ROUTING_KEYS = ("account.created", "account.deactivated")
QUEUE = "xero-sync.account-events"
DEAD = f"{QUEUE}.dead"  # what RabbitMQ gave up on

# Headers of a message.
KEY_ID = "x-qonto-key-id"
SIGNATURE = "x-qonto-signature"


def declare_event_queues(channel: Any) -> tuple[str, str]:
    """The core's exchange, our queue bound to it, and the one for its dead letters; the names of the two queues."""
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    channel.queue_declare(DEAD, durable=True, arguments=quorum_arguments(NO_DELIVERY_LIMIT, ""))
    channel.queue_declare(QUEUE, durable=True, arguments=quorum_arguments(DELIVERY_LIMIT, DEAD))
    for key in ROUTING_KEYS:
        channel.queue_bind(QUEUE, EXCHANGE, key)
    return QUEUE, DEAD
