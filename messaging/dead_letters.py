"""The reader of dead-letter queues: what RabbitMQ itself gave up on is written down as well.

That is a body no worker could read, a job that took its worker down again and again, and whatever a worker rejected
while the database was away. A dead letter leaves its queue only after it was recorded.
"""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from functools import partial
from threading import Event, Thread
from typing import Any

import dramatiq
from dramatiq.broker import Broker
from dramatiq.common import q_name, xq_name
from dramatiq.worker import Worker

from messaging.database import Database
from messaging.messages import NotAMessage, decode
from messaging.quarantine import DeadLetter, Record
from messaging.queues import DELIVERY_LIMIT, DeclaringChannel, declare_queue
from messaging.reader import Arrival, QueueReader

logger = logging.getLogger(__name__)

STOP_SECONDS = 5.0

REASONS = {
    "delivery_limit": f"the worker died or lost its connection {DELIVERY_LIMIT + 1} times while it held it",
    "rejected": "a worker rejected it and could not write it down",
    "maxlen": "its queue was full",
}

CAUSE = re.compile("[a-z_]{1,40}")  # a word as RabbitMQ uses them; a publisher may have put anything there


class DeadLetterReader(dramatiq.Middleware):
    """Reads the dead-letter queue of each of a worker's lanes in a thread of its own, as long as the worker runs."""

    def __init__(self, url: str, record: Record, database: Database) -> None:
        self._url = url
        self._record = record
        self._database = database
        self._readings: dict[Worker, tuple[list[Thread], Event]] = {}

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        queues = sorted(xq_name(name) for name in worker.consumer_whitelist or broker.get_declared_queues())
        stop = Event()
        readers = [QueueReader(self._url, partial(_declare, queue), self._receive) for queue in queues]
        threads = [Thread(target=one.run, args=(stop,), name="dead-letters", daemon=True) for one in readers]
        self._readings[worker] = (threads, stop)
        for thread in threads:
            thread.start()

    def after_worker_shutdown(self, _broker: Broker, worker: Worker) -> None:
        threads, stop = self._readings.pop(worker)
        stop.set()
        until = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _receive(self, arrival: Arrival) -> None:
        letter = read_dead_letter(q_name(arrival.queue), arrival.headers, arrival.body)
        with self._database.connection():
            self._record(letter)
        logger.error("Message %s of %s is in quarantine: %s", letter.message_id, letter.actor, letter.reason)


def _declare(queue: str, channel: DeclaringChannel) -> Sequence[str]:
    declare_queue(channel, queue)
    return [queue]


def read_dead_letter(queue: str, headers: Mapping[str, Any], body: bytes) -> DeadLetter:
    """The dead letter that RabbitMQ made of a message on `queue`, its reason taken from RabbitMQ's own headers."""
    try:
        message = decode(body, queue=queue)
    except NotAMessage as error:
        return DeadLetter(queue, body, str(error), message_id=None, actor=None)
    return DeadLetter(queue, body, why_dead(headers), message.message_id, message.actor_name)


def why_dead(headers: Mapping[str, Any]) -> str:
    """Why RabbitMQ gave a message up, from the headers that it added, or that came with the message: never empty."""
    cause = headers.get("x-first-death-reason")
    if not isinstance(cause, str) or not CAUSE.fullmatch(cause):
        return "unknown"
    return REASONS.get(cause, cause)
