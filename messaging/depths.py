"""How many messages wait in a lane's queue: what the scheduler compares with what it announced."""

from __future__ import annotations

from queue import Queue

import pika
from dramatiq.broker import Broker
from dramatiq.common import dq_name
from pika.exceptions import AMQPError, ChannelClosedByBroker

from messaging.addresses import host_and_port, with_defaults
from messaging.publisher import BrokerUnreachable
from models.states import Lane

NOT_FOUND = 404


def rabbitmq_depth(url: str, lane: Lane) -> int:
    """Return how many messages RabbitMQ holds for a lane, delayed ones included, that no worker has fetched.

    A queue that does not exist holds none. Raises BrokerUnreachable.
    """
    parameters = pika.URLParameters(with_defaults(url))
    parameters.connection_attempts = 1
    try:
        with pika.BlockingConnection(parameters) as connection:
            return sum(_depth(connection, queue) for queue in (lane, dq_name(lane)))
    except (AMQPError, OSError) as error:
        raise BrokerUnreachable(f"cannot count at RabbitMQ at {host_and_port(url)}: {type(error).__name__}") from error


def in_process_depth(broker: Broker, lane: Lane) -> int:
    """Return how many messages wait for a lane in this process."""
    queues: dict[str, Queue[bytes]] = broker.queues
    return sum(queues[queue].qsize() for queue in (lane, dq_name(lane)) if queue in queues)


def _depth(connection: pika.BlockingConnection, queue: str) -> int:
    channel = connection.channel()
    try:
        return int(channel.queue_declare(queue, passive=True).method.message_count)
    except ChannelClosedByBroker as error:
        if error.reply_code != NOT_FOUND:
            raise
        return 0
