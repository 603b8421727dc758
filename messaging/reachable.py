"""Whether RabbitMQ answers at all, asked once at the start of a process, so that a wrong address is named at once."""

from __future__ import annotations

import pika
from pika.exceptions import AMQPError

from messaging.addresses import host_and_port, with_defaults
from messaging.publisher import BrokerUnreachable


def check_broker(url: str) -> None:
    """Raises BrokerUnreachable, which names host and port and why, and never the password."""
    try:
        parameters = pika.URLParameters(with_defaults(url))
        parameters.connection_attempts = 1
        pika.BlockingConnection(parameters).close()
    except (AMQPError, OSError, ValueError) as error:
        raise BrokerUnreachable(f"cannot reach RabbitMQ at {host_and_port(url)}: {type(error).__name__}") from error
