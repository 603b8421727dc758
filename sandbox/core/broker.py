"""RabbitMQ as the core sees it: one exchange, and a confirm for each event."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika

from sandbox.core.event import Event

_EXCHANGE = "qonto.events"
_CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_PERSISTENT = 2
_NO_ADDRESS = "not the address of a RabbitMQ: amqp://user:password@host:port/vhost"
_CONNECT_SECONDS = 2.0
_HANDSHAKE_SECONDS = 4.0
_BLOCKED_SECONDS = 5.0
_HEARTBEAT_SECONDS = 4  # a broker that no longer answers is given up after two or three of them


class Broker:
    """One broker to publish to. `address` is its `host:port`, which is all of it that may be shown.

    Raises ValueError, which does not quote the URL, when the URL is none of RabbitMQ.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith(("amqp://", "amqps://")):
            raise ValueError(_NO_ADDRESS)
        try:
            self._parameters = pika.URLParameters(url)
        except (ValueError, TypeError, SyntaxError, OSError):  # pika checks what it reads only here and there
            raise ValueError(_NO_ADDRESS) from None
        self.address = f"{self._parameters.host}:{self._parameters.port}"
        self._parameters.connection_attempts = 1
        self._parameters.socket_timeout = _CONNECT_SECONDS
        self._parameters.stack_timeout = _HANDSHAKE_SECONDS
        self._parameters.blocked_connection_timeout = _BLOCKED_SECONDS
        self._parameters.heartbeat = _HEARTBEAT_SECONDS

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel in confirm mode, with the exchange declared; it wants to be used every second or two."""
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.exchange_declare(_EXCHANGE, "topic", durable=True)
            yield channel


def publish(channel: Any, event: Event) -> None:
    """Return when the broker has confirmed the event; an exception of any kind means that it may not have it."""
    properties = pika.BasicProperties(
        content_type=_CONTENT_TYPE, delivery_mode=_PERSISTENT, message_id=event.id, headers=event.headers
    )
    channel.basic_publish(_EXCHANGE, event.type, event.body, properties)
