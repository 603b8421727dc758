"""Reading queues until told to stop: one connection after the other, manual acks, one thread."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import uniform
from threading import Event
from typing import Any

import pika
from pika.exceptions import AMQPError

import messaging.header_values  # noqa: F401 - no header may end a connection
from messaging.addresses import with_defaults
from messaging.quarantine import reason_of
from messaging.queues import WRONG_QUEUE_SECONDS, WrongQueue, naming_wrong_queues

logger = logging.getLogger(__name__)

PREFETCH = 1  # of each queue: a fetched message that waits would die with a poisonous one at hand
POLL_SECONDS = 0.5  # how soon an order to stop is seen
SILENT_SECONDS = 30.0  # a reader that has not looked for so long hangs
# Between attempts when the broker or the database is away, or a message failed.
PAUSE_SECONDS = 5.0


@dataclass(frozen=True)
class Arrival:
    """A message as RabbitMQ delivered it; `headers` may hold anything."""

    queue: str
    body: bytes
    headers: Mapping[str, Any]


@dataclass(frozen=True)
class _Delivery:
    tag: int
    arrival: Arrival


class QueueReader:
    """Hands each message to `receive`, and acks it once that has returned.

    `declare` makes the queues sure to be there and names them. While `receive` raises one of `outages`, the message is
    held and tried again on the open connection: an outage is not the message's fault, and must not count against it.
    Anything else drops the connection, and the message comes again, as often as its queue lets it.
    """

    def __init__(
        self,
        url: str,
        declare: Callable[[Any], Sequence[str]],
        receive: Callable[[Arrival], object],
        *,
        outages: tuple[type[Exception], ...] = (),
    ) -> None:
        self._parameters = pika.URLParameters(with_defaults(url))
        # The loop below tries again by itself, and looks at the order to stop in between.
        self._parameters.connection_attempts = 1
        self._declare = declare
        self._receive = receive
        self._outages = outages
        self._looked_at: float | None = None
        self._wrong_queue = ""

    def run(self, stop: Event) -> None:
        """Read until `stop` is set. What was fetched and not handled then goes back to its queue."""
        while not stop.is_set():
            try:
                self._read_on_one_connection(stop)
            except Exception as error:
                self._looked_at = None
                self._wrong_queue = str(error) if isinstance(error, WrongQueue) else ""
                # The connection is gone, so what was not acked comes again.
                logger.warning("Messages wait: %s", reason_of(error))
                pause = WRONG_QUEUE_SECONDS if self._wrong_queue else PAUSE_SECONDS
                stop.wait(uniform(pause / 2, pause))  # noqa: S311 - so that not all come at once

    def why_not_working(self) -> str:
        """Why nothing is read now; empty when queues are read."""
        if self._looked_at is None:
            return self._wrong_queue or "not connected to its queue"
        silent = time.monotonic() - self._looked_at
        return f"has not looked for messages for {silent:.0f} s" if silent > SILENT_SECONDS else ""

    def _read_on_one_connection(self, stop: Event) -> None:
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=PREFETCH)
            channel.add_on_cancel_callback(_raise_queue_gone)
            deliveries: deque[_Delivery] = deque()
            with naming_wrong_queues():
                queues = self._declare(channel)
            for queue in queues:
                channel.basic_consume(queue, _collector(queue, deliveries))
            while not stop.is_set():
                connection.process_data_events(time_limit=POLL_SECONDS)
                self._looked_at = time.monotonic()
                while deliveries and not stop.is_set():
                    if self._is_received(deliveries[0].arrival, connection, stop):
                        channel.basic_ack(deliveries.popleft().tag)

    def _is_received(self, arrival: Arrival, connection: Any, stop: Event) -> bool:
        """Whether it is safe; `False` only when told to stop first. Raises what `receive` raises but outages."""
        while not stop.is_set():
            try:
                self._receive(arrival)
            except self._outages as error:
                logger.warning("A message of %s is held: %s", arrival.queue, reason_of(error))
                _rest(connection, stop)
                self._looked_at = time.monotonic()
            else:
                return True
        return False


def _collector(queue: str, deliveries: deque[_Delivery]) -> Callable[..., None]:
    def collect(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
        deliveries.append(_Delivery(method.delivery_tag, Arrival(queue, body, properties.headers or {})))

    return collect


def _raise_queue_gone(_frame: object) -> None:
    """Somebody deleted a queue: nothing more would ever come of it, so it is declared anew."""
    raise AMQPError("a queue that is read was deleted")


def _rest(connection: Any, stop: Event) -> None:
    """Pause with heartbeats; raises when the connection is lost meanwhile."""
    until = time.monotonic() + PAUSE_SECONDS
    while time.monotonic() < until and not stop.is_set():
        connection.process_data_events(time_limit=POLL_SECONDS)
