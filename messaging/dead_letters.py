"""The reader of dead-letter queues: what RabbitMQ itself gave up on is written down as well.

That is a body no worker could read, a job that took its worker down again and again, and whatever a worker rejected
while the database was away. A dead letter leaves its queue only after it was recorded.
"""

import logging
from collections.abc import Iterable, Mapping
from threading import Event, Thread
from typing import Any

import dramatiq
import pika
from dramatiq.broker import Broker
from dramatiq.common import q_name, xq_name
from dramatiq.worker import Worker

from messaging.addresses import with_defaults
from messaging.database import Database
from messaging.messages import NotAMessage, decode
from messaging.quarantine import DeadLetter, Record, reason_of
from messaging.queues import DELIVERY_LIMIT, declare_queue

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
PREFETCH = 10
# Between attempts when the broker or the database is away.
PAUSE_SECONDS = 5.0
STOP_SECONDS = 5.0

REASONS = {
    "delivery_limit": f"the worker died or lost its connection {DELIVERY_LIMIT + 1} times while it held it",
    "rejected": "a worker rejected it and could not write it down",
    "maxlen": "its queue was full",
}


class DeadLetterReader(dramatiq.Middleware):
    """Reads the dead-letter queues of a worker's lanes in a thread of its own, as long as the worker runs."""

    def __init__(self, url: str, record: Record, database: Database) -> None:
        self._parameters = pika.URLParameters(with_defaults(url))
        # The loop below tries again by itself, and looks at the order to stop in between.
        self._parameters.connection_attempts = 1
        self._record = record
        self._database = database
        self._stop = Event()
        self._thread: Thread | None = None

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        queues = sorted(xq_name(name) for name in worker.consumer_whitelist or broker.get_declared_queues())
        self._stop.clear()
        self._thread = Thread(target=self._read, args=(queues,), name="dead-letters", daemon=True)
        self._thread.start()

    def after_worker_shutdown(self, *_: Any) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _read(self, queues: Iterable[str]) -> None:
        while not self._stop.is_set():
            try:
                self._read_on_one_connection(queues)
            except Exception as error:
                # The connection is gone, so what was not acked comes again.
                logger.warning("Dead letters wait: %s", reason_of(error))
                self._stop.wait(PAUSE_SECONDS)

    def _read_on_one_connection(self, queues: Iterable[str]) -> None:
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=PREFETCH)
            for queue in queues:
                declare_queue(channel, queue)
                channel.basic_consume(queue, self._receive)
            while not self._stop.is_set():
                connection.process_data_events(time_limit=POLL_SECONDS)

    def _receive(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        letter = read_dead_letter(q_name(method.routing_key), properties.headers or {}, body)
        with self._database.connection():
            self._record(letter)
        channel.basic_ack(method.delivery_tag)
        logger.error("Message %s of %s is in quarantine: %s", letter.message_id, letter.actor, letter.reason)


def read_dead_letter(queue: str, headers: Mapping[str, Any], body: bytes) -> DeadLetter:
    """The dead letter that RabbitMQ made of a message on `queue`, its reason taken from RabbitMQ's own headers."""
    try:
        message = decode(body, queue=queue)
    except NotAMessage as error:
        return DeadLetter(queue, body, str(error), message_id=None, actor=None)
    cause = str(headers.get("x-first-death-reason", "unknown"))
    return DeadLetter(queue, body, REASONS.get(cause, cause), message.message_id, message.actor_name)
