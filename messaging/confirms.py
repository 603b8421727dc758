"""One connection to RabbitMQ whose confirms are awaited by the window, not one by one: 15 times as fast.

pika's blocking connection waits for each confirm, so this drives the callback one, for the length of a call.
"""

import logging
from collections import Counter, deque
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import pika
from pika.spec import Basic, BasicProperties

from messaging.destinations import Destination
from messaging.queues import what_differs

logger = logging.getLogger(__name__)

WINDOW = 1_000
CLOSE_SECONDS = 2.0
PERSISTENT = 2


class _Batch:
    """Which messages of one call wait, are on their way, or are answered."""

    def __init__(self, messages: Sequence[tuple[str, bytes]]) -> None:
        self.messages = messages
        self.answers: list[bool | None] = [None] * len(messages)
        self.waiting = deque(range(len(messages)))
        self.by_tag: dict[int, int] = {}
        self.unroutable: set[int] = set()
        self.sent_twice: set[int] = set()
        self.declared: set[str] = set()
        self.unwanted: Counter[str] = Counter()

    def is_answered(self) -> bool:
        return not self.waiting and not self.by_tag


class ConfirmingConnection:
    """A connection with one channel in confirm mode. Its loop runs only inside `publish`, `close` and `abort`."""

    def __init__(self, parameters: pika.URLParameters, destination: Destination) -> None:
        self.trouble = "no answer in time"
        self._destination = destination
        self._is_lost = False
        self._channel: Any = None
        self._last_tag = 0
        self._batch = _Batch([])
        self._connection = pika.SelectConnection(
            parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=self._on_lost,
            on_close_callback=self._on_lost,
        )
        self._connection.add_on_connection_blocked_callback(self._on_blocked)

    def publish(self, messages: Sequence[tuple[str, bytes]], *, seconds: float) -> list[bool | None]:
        """Of each (routing key, body): True: safe. False: refused. None: unknown after `seconds` or a lost connection;
        `trouble` says more.

        After a None the connection is of no more use than to be aborted.
        """
        self._batch = _Batch(messages)
        if not self._is_lost:
            self._send_what_fits()
            self._run(seconds)
        for key, count in self._batch.unwanted.items():
            logger.warning("No queue is bound for %s: %s told to nobody", key, count)
        return self._batch.answers

    def close(self) -> None:
        """Take leave of the broker."""
        if self._connection.is_open:
            self._connection.close()
            self._run(CLOSE_SECONDS)
        self.abort()

    def abort(self) -> None:
        """Drop the connection without a word: a broker that blocks publishers does not hear a farewell."""
        if not self._is_lost:
            self._connection._terminate_stream(pika.exceptions.ConnectionClosedByClient(200, "aborted"))
            self._run(CLOSE_SECONDS)
        self._connection.ioloop.close()

    def _run(self, seconds: float) -> None:
        loop = self._connection.ioloop
        deadline = loop.call_later(seconds, loop.stop)
        loop.start()
        loop.remove_timeout(deadline)

    def _on_open(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._on_channel_open)

    def _on_channel_open(self, channel: Any) -> None:
        channel.add_on_close_callback(self._on_channel_lost)
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._on_confirm_mode(channel))

    def _on_confirm_mode(self, channel: Any) -> None:
        self._channel = channel
        self._destination.prepare(channel)
        self._send_what_fits()

    def _on_blocked(self, _connection: Any, frame: Any) -> None:
        self.trouble = f"it blocks publishers ({frame.method.reason})"

    def _on_channel_lost(self, _channel: Any, error: Exception) -> None:
        self._channel = None
        self.trouble = what_differs(error) or repr(error)
        self._connection.ioloop.stop()

    def _on_lost(self, _connection: Any, error: Exception) -> None:
        self._is_lost = True
        self._on_channel_lost(None, error)

    def _send_what_fits(self) -> None:
        batch = self._batch
        while self._channel is not None and batch.waiting and len(batch.by_tag) < WINDOW:
            position = batch.waiting.popleft()
            key, body = batch.messages[position]
            self._last_tag += 1
            batch.by_tag[self._last_tag] = position
            self._channel.basic_publish(
                exchange=self._destination.exchange,
                routing_key=key,
                body=body,
                properties=BasicProperties(
                    content_type=self._destination.content_type,
                    delivery_mode=PERSISTENT,
                    correlation_id=str(position),  # what comes back unroutable is told apart by this
                ),
                mandatory=True,
            )

    def _on_return(self, _channel: Any, method: Any, properties: BasicProperties, _body: bytes) -> None:
        """No queue took it. RabbitMQ confirms it all the same, after this."""
        if self._destination.declare_queue:
            self._batch.unroutable.add(int(properties.correlation_id))
        else:
            self._batch.unwanted[method.routing_key] += 1

    def _on_confirm(self, frame: Any) -> None:
        method, batch = frame.method, self._batch
        tag = method.delivery_tag
        tags = list(takewhile(lambda sent: sent <= tag, batch.by_tag)) if method.multiple else [tag]
        for position in [batch.by_tag.pop(tag) for tag in tags]:
            if position in batch.unroutable:
                self._send_again(position)
            else:
                batch.answers[position] = isinstance(method, Basic.Ack)
        self._send_what_fits()
        if batch.is_answered():
            self._connection.ioloop.stop()

    def _send_again(self, position: int) -> None:
        """A message without a queue: declare it and try once more; the channel keeps the order of the two."""
        batch = self._batch
        batch.unroutable.discard(position)
        if position in batch.sent_twice:
            batch.answers[position] = False
            return
        batch.sent_twice.add(position)
        batch.waiting.append(position)
        key, _ = batch.messages[position]
        if self._destination.declare_queue and key not in batch.declared:
            batch.declared.add(key)
            self._destination.declare_queue(self._channel, key)
