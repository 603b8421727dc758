"""What a lane is in RabbitMQ: its queue, its delay queue (.DQ) and its dead-letter queue (.XQ).

The one source of truth of their arguments: RabbitMQ refuses a queue that is declared twice and differently.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from dramatiq.common import dq_name, q_name, xq_name
from dramatiq.errors import ConnectionClosed
from pika.exceptions import ChannelClosedByBroker

# A job that takes its worker's process down is started this many times and once more, then it is a dead letter.
DELIVERY_LIMIT = 4

# RabbitMQ 4 counts to 20 unless told otherwise, and then drops. A delayed message is delivered again at every
# restart of a worker, a dead letter at every attempt to write it down: neither is the message's fault.
NO_DELIVERY_LIMIT = 1_000_000_000

# Far above a night of every organisation; a queue that reaches it refuses, and the outbox keeps what was refused.
MAX_MESSAGES = 1_000_000


PRECONDITION_FAILED = 406
WRONG_QUEUE_SECONDS = 30.0  # between two looks at a queue that somebody has to delete first


class WrongQueue(ConnectionClosed):
    """RabbitMQ has a queue or an exchange under our name with other arguments; the text says which and what to do.

    One of dramatiq's connection errors, so that a consumer waits and comes again.
    """


def what_differs(error: object) -> str:
    """Return what an operator reads if RabbitMQ closed a channel because of other arguments, else an empty string."""
    if not isinstance(error, ChannelClosedByBroker) or error.reply_code != PRECONDITION_FAILED:
        return ""
    return f"{error.reply_text}: delete it as docs/operations/runbooks/03-broker.md says, and nothing is lost"


@contextmanager
def naming_wrong_queues() -> Iterator[None]:
    """Raise WrongQueue for what RabbitMQ refuses to declare inside the block because of other arguments."""
    try:
        yield
    except ChannelClosedByBroker as error:
        if words := what_differs(error):
            raise WrongQueue(words) from None  # type: ignore[no-untyped-call]
        raise


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
