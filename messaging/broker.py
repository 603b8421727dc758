"""The brokers: RabbitMQ for real, and one inside this process where nothing is installed. Same middleware in both."""

from datetime import timedelta
from threading import current_thread
from time import monotonic, sleep

import dramatiq
from dramatiq.broker import Consumer
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import dq_name, xq_name
from dramatiq.middleware import CurrentMessage, Middleware, TimeLimit

from messaging.addresses import with_defaults
from messaging.arguments import CheckArguments
from messaging.database import Database, DatabaseConnection
from messaging.dead_letters import DeadLetterReader
from messaging.logged import LogContext
from messaging.measured import Measured
from messaging.mends import OwnConsumer, SafeRetries, SkipStale
from messaging.messages import ENCODER
from messaging.quarantine import Quarantine, Record
from messaging.queues import WRONG_QUEUE_SECONDS, WrongQueue, declare_queue, naming_wrong_queues

GLANCE_SECONDS = 0.5  # how soon a thread that rests sees that it should end
MAX_RETRIES = 5
MIN_BACKOFF = timedelta(seconds=2)
# A delayed message is held by a worker, and RabbitMQ takes it back after 30 minutes: longer waits are rows.
MAX_BACKOFF = timedelta(minutes=5)
# A job boxes its own time at 5 minutes; this ends one that does not, well before RabbitMQ starts it a second time.
TIME_LIMIT = timedelta(minutes=10)


class LaneBroker(RabbitmqBroker):
    """dramatiq's RabbitMQ broker with our queues and our consumer, waiting for a confirm of everything it publishes.

    `wrong_queues` are the lanes that it cannot use because RabbitMQ has another queue under one of their names, each
    with what an operator reads about it.
    """

    def __init__(self, url: str, middleware: list[Middleware]) -> None:
        super().__init__(url=with_defaults(url), confirm_delivery=True, middleware=middleware)
        self.wrong_queues: dict[str, str] = {}

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Return a consumer. Raises WrongQueue after a rest that ends with the consumer's thread."""
        try:
            return super().consume(queue_name, prefetch, timeout)
        except WrongQueue:
            until = monotonic() + WRONG_QUEUE_SECONDS
            while monotonic() < until and getattr(current_thread(), "running", True):
                sleep(GLANCE_SECONDS)
            raise

    @property
    def consumer_class(self) -> type[Consumer]:
        return OwnConsumer

    def _ensure_queue(self, canonical_queue_name: str) -> None:
        try:
            super()._ensure_queue(canonical_queue_name)  # type: ignore[no-untyped-call]
        except WrongQueue as error:
            self.wrong_queues[canonical_queue_name] = str(error)
            del self.connection  # its channel is closed
            raise
        self.wrong_queues.pop(canonical_queue_name, None)

    def _declare_queue(self, queue_name: str) -> object:
        with naming_wrong_queues():
            return declare_queue(self.channel, queue_name)

    def _declare_dq_queue(self, queue_name: str) -> object:
        return self._declare_queue(dq_name(queue_name))

    def _declare_xq_queue(self, queue_name: str) -> object:
        return self._declare_queue(xq_name(queue_name))


def rabbitmq_broker(url: str, *, database: Database, record: Record) -> LaneBroker:
    """The broker that workers share through RabbitMQ. Connects on first use.

    `record` writes a dead letter down; `database` is opened around each message and each `record`.
    """
    dramatiq.set_encoder(ENCODER)
    return LaneBroker(url, [*middleware(database, record), DeadLetterReader(url, record, database)])


def in_process_broker(*, database: Database, record: Record) -> StubBroker:
    """A broker in the memory of this process: what is queued is gone when it ends, and the sweep queues it again."""
    dramatiq.set_encoder(ENCODER)
    return StubBroker(middleware(database, record), fail_fast_default=False)


def middleware(database: Database, record: Record) -> list[Middleware]:
    """What happens around every message: from the top on the way in, from the bottom on the way out."""
    return [
        # Every message is counted, however it ends.
        Measured(),
        # A message that RabbitMQ will deliver again anyway is not begun.
        SkipStale(),
        # Every log line below carries the message's ids.
        LogContext(),
        # What failed for good is written down before it leaves the queue.
        Quarantine(record, database),
        # What failed is tried again later, and is not lost when "later" cannot be enqueued.
        SafeRetries(max_retries=MAX_RETRIES, min_backoff=_ms(MIN_BACKOFF), max_backoff=_ms(MAX_BACKOFF)),
        # What no actor can be called with is never begun, and never tried again.
        CheckArguments(),
        # The actor can ask for the message it runs for.
        CurrentMessage(),
        # The actor has a database connection, and nobody after it.
        DatabaseConnection(database),
        # The actor's own time is limited, and nothing but the actor's.
        TimeLimit(time_limit=_ms(TIME_LIMIT)),
    ]


def _ms(duration: timedelta) -> int:
    return int(duration / timedelta(milliseconds=1))
