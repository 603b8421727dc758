"""Publishing many messages at once, knowing afterwards which of them are safe."""

import time
from collections.abc import Sequence
from typing import Protocol

import pika
from dramatiq.broker import Broker

from messaging.addresses import host_and_port, with_defaults
from messaging.confirms import ConfirmingConnection
from messaging.destinations import LANES, Destination
from messaging.messages import decode

# A routing key, which is the queue's name where the destination is our lanes, and a message's bytes.
Outgoing = tuple[str, bytes]

# A connection kept longer than this without its heartbeats would be the broker's to close, maybe unnoticed.
KEEP_SECONDS = 5.0


class BrokerUnreachable(Exception):
    """The broker confirmed nothing; the message names its host and port, and why as far as it is known."""


class Publisher(Protocol):
    """What the outbox relay needs."""

    def publish(self, batch: Sequence[Outgoing]) -> list[bool]:
        """For each message of `batch`, in order, whether its queues have it for sure.

        False means unknown or refused: publish it again later, which may make it arrive twice.
        """

    def close(self) -> None:
        """Give back what it holds of the broker."""


class ConfirmingPublisher:
    """Publishes to RabbitMQ with batched confirms: True means on the disk of the queue's nodes.

    A lane that is not declared yet is declared then. One thread at a time. Reconnects by itself on the next call.
    """

    def __init__(self, url: str, destination: Destination = LANES, *, deadline_seconds: float = 20) -> None:
        self._destination = destination
        self._parameters = pika.URLParameters(with_defaults(url))
        # The caller comes again anyway; a call that retries inside would only hide the outage for longer.
        self._parameters.connection_attempts = 1
        self._address = host_and_port(url)
        self._deadline_seconds = deadline_seconds
        self._connection: ConfirmingConnection | None = None
        self._used_at = 0.0

    def publish(self, batch: Sequence[Outgoing]) -> list[bool]:
        """As `Publisher.publish`, within the deadline. Raises BrokerUnreachable when not one was answered."""
        if not batch:
            return []
        connection = self._usable_connection()
        answers = connection.publish(batch, seconds=self._deadline_seconds)
        trouble = connection.trouble
        if None in answers:
            connection.abort()
            self._connection = None
        if all(answer is None for answer in answers):
            raise BrokerUnreachable(f"RabbitMQ at {self._address} confirmed nothing: {trouble}")
        return [bool(answer) for answer in answers]

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _usable_connection(self) -> ConfirmingConnection:
        now = time.monotonic()
        if self._connection is not None and now - self._used_at > KEEP_SECONDS:
            self.close()
        self._used_at = now
        if self._connection is None:
            self._connection = ConfirmingConnection(self._parameters, self._destination)
        return self._connection


class InProcessPublisher:
    """The same for a broker in this process, where nothing can be unknown."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def publish(self, batch: Sequence[Outgoing]) -> list[bool]:
        """Enqueue every message; all True."""
        for queue, body in batch:
            self._broker.declare_queue(queue)
            self._broker.enqueue(decode(body, queue=queue))
        return [True] * len(batch)

    def close(self) -> None:
        """Nothing to close."""


class NobodyToTell:
    """The same where there is no broker to hear of it: what is said counts as safe."""

    def publish(self, batch: Sequence[Outgoing]) -> list[bool]:
        """Nothing happens; all True."""
        return [True] * len(batch)

    def close(self) -> None:
        """Nothing to close."""
