"""The consumer of Qonto's events: each is handed on with what signed it, and acked once that is safe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from messaging.database import Database
from messaging.dead_letters import why_dead
from messaging.event_queues import DEAD, KEY_ID, SIGNATURE, declare_event_queues
from messaging.reader import Arrival, QueueReader


@dataclass(frozen=True)
class ReceivedEvent:
    """A body with the headers that sign it, empty if there are none. `died_of`: why RabbitMQ gave it up, else empty."""

    body: bytes
    key_id: str
    signature: str
    died_of: str


class EventConsumer:
    """Reads our queue of events, and its dead letters, until told to stop. Reconnects by itself.

    One message at a time: one that takes the process down again and again takes no other along. While `receive` raises
    one of `outages`, the message is held.
    """

    def __init__(
        self,
        url: str,
        receive: Callable[[ReceivedEvent], object],
        database: Database,
        outages: tuple[type[Exception], ...],
    ) -> None:
        self._receive = receive
        self._database = database
        self._reader = QueueReader(url, declare_event_queues, self._hand_on, outages=outages)

    def run(self, stop: Event) -> None:
        """Read until `stop` is set; the message at hand is finished first."""
        self._reader.run(stop)

    def why_not_working(self) -> str:
        """Why no event is read now; empty when they are."""
        return self._reader.why_not_working()

    def _hand_on(self, arrival: Arrival) -> None:
        event = ReceivedEvent(
            body=arrival.body,
            key_id=_text(arrival.headers.get(KEY_ID)),
            signature=_text(arrival.headers.get(SIGNATURE)),
            died_of=why_dead(arrival.headers) if arrival.queue == DEAD else "",
        )
        with self._database.connection():
            self._receive(event)


def _text(header: Any) -> str:
    """A header that is a text; AMQP lets it be anything, also bytes that are no text."""
    return header if isinstance(header, str) else ""
