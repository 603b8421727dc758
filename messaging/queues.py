"""What a lane is in RabbitMQ: its queue, its delay queue (.DQ) and its dead-letter queue (.XQ).

The one source of truth of their arguments: RabbitMQ refuses a queue that is declared twice and differently.
"""

from typing import Protocol

from dramatiq.common import dq_name, q_name, xq_name

# A job that takes its worker's process down is started this many times and once more, then it is a dead letter.
DELIVERY_LIMIT = 4

# RabbitMQ 4 counts to 20 unless told otherwise, and then drops. A delayed message is delivered again at every
# restart of a worker, a dead letter at every attempt to write it down: neither is the message's fault.
NO_DELIVERY_LIMIT = 1_000_000_000

# Far above a night of every organisation; a queue that reaches it refuses, and the outbox keeps what was refused.
MAX_MESSAGES = 1_000_000


class DeclaringChannel(Protocol):
    """The part of pika's channels that declares; blocking and callback channels share it."""

    def queue_declare(self, queue: str, *, durable: bool, arguments: dict[str, object]) -> object:
        """Create `queue`, or check that it has these arguments."""


def queue_arguments(queue: str) -> dict[str, object]:
    """The arguments of `queue`, which may be a lane's queue, its delay queue or its dead-letter queue.

    Replicated on disk; refuses rather than drops when full; dead letters leave only once the dead-letter queue
    has them, and stay there until a reader has written them down: no time to live.
    """
    limit = DELIVERY_LIMIT if queue == q_name(queue) else NO_DELIVERY_LIMIT
    return quorum_arguments(limit, "" if queue == xq_name(queue) else xq_name(queue))


def quorum_arguments(delivery_limit: int, dead_letters: str) -> dict[str, object]:
    """The same for any queue of ours; `dead_letters` is the queue that its dead letters go to, empty for none."""
    arguments: dict[str, object] = {
        "x-queue-type": "quorum",
        "x-overflow": "reject-publish",
        "x-max-length": MAX_MESSAGES,
        "x-delivery-limit": delivery_limit,
    }
    if dead_letters:
        arguments["x-dead-letter-exchange"] = ""
        arguments["x-dead-letter-routing-key"] = dead_letters
        arguments["x-dead-letter-strategy"] = "at-least-once"
    return arguments


def declare_queue(channel: DeclaringChannel, queue: str) -> object:
    """Create `queue` alone unless it is there, and return what `channel` answers."""
    return channel.queue_declare(queue, durable=True, arguments=queue_arguments(queue))


def declare_lane(channel: DeclaringChannel, queue: str) -> None:
    """Create `queue` with its delay queue and its dead-letter queue, unless they are there."""
    for name in (queue, dq_name(queue), xq_name(queue)):
        declare_queue(channel, name)
