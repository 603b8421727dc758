"""Telling Qonto's core: confirmed means that every queue has it, and nobody there means nobody to tell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest

from messaging import BrokerUnreachable, ConfirmingPublisher
from messaging.destinations import CLOUDEVENTS, QONTO_CORE, TOLD_EXCHANGE
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = pytest.mark.integration

QUEUE = "core.notifications"
EVENT = '{"data": {"sentence": "é"}}'.encode()


@pytest.fixture
def channel(rabbitmq_url: str) -> Iterator[Any]:
    """A connection of the core's."""
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        yield connection.channel()


@pytest.fixture
def bind(channel: Any) -> Callable[..., None]:
    """The core declares a durable queue and binds it, as docs/events asks it to."""

    def declare(key: str = "#", queue: str = QUEUE, **arguments: object) -> None:
        channel.exchange_declare(TOLD_EXCHANGE, "topic", durable=True)
        channel.queue_declare(
            queue, durable=True, arguments={name.replace("_", "-"): v for name, v in arguments.items()}
        )
        channel.queue_bind(queue, TOLD_EXCHANGE, key)

    return declare


@pytest.fixture
def teller(rabbitmq_url: str) -> Iterator[ConfirmingPublisher]:
    publisher = ConfirmingPublisher(rabbitmq_url, QONTO_CORE)
    yield publisher
    publisher.close()


def queues(server: RabbitmqServer, vhost: str) -> list[str]:
    return server.ctl("list_queues", "--vhost", vhost, "--silent", "name").split()


def test_an_event_reaches_whoever_bound_its_type_persistently_and_as_a_cloudevent(
    teller: ConfirmingPublisher, bind: Callable[..., None], channel: Any
) -> None:
    bind("connection.*")
    bind("sync.problem", queue="others")

    assert teller.publish([("connection.broken", EVENT), ("sync.problem", EVENT)]) == [True, True]

    method, properties, body = channel.basic_get(QUEUE, auto_ack=True)
    assert (method.exchange, method.routing_key, body) == (TOLD_EXCHANGE, "connection.broken", EVENT)
    assert (properties.delivery_mode, properties.content_type) == (2, CLOUDEVENTS)
    assert channel.basic_get(QUEUE, auto_ack=True)[0] is None


def test_what_nobody_bound_a_queue_for_counts_as_told_and_a_warning_names_its_type_alone(
    teller: ConfirmingPublisher,
    bind: Callable[..., None],
    rabbitmq_server: RabbitmqServer,
    rabbitmq_vhost: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bind("connection.created")

    with caplog.at_level(logging.WARNING, "messaging"):
        answers = teller.publish([("sync.completed", EVENT), ("connection.created", EVENT), ("sync.completed", EVENT)])

    assert answers == [True, True, True]
    assert caplog.messages == ["No queue is bound for sync.completed: 2 told to nobody"]
    assert queues(rabbitmq_server, rabbitmq_vhost) == [QUEUE]


def test_an_exchange_that_is_not_there_is_declared_before_the_first_event(
    teller: ConfirmingPublisher, channel: Any
) -> None:
    teller.publish([("connection.created", EVENT)])

    channel.exchange_declare(TOLD_EXCHANGE, "topic", durable=True, passive=True)


def test_an_exchange_that_was_deleted_costs_no_event_and_is_declared_anew(
    teller: ConfirmingPublisher, bind: Callable[..., None], channel: Any
) -> None:
    teller.publish([("connection.created", EVENT)])
    channel.exchange_delete(TOLD_EXCHANGE)

    with pytest.raises(BrokerUnreachable, match="no exchange"):
        teller.publish([("connection.created", EVENT)])

    bind()
    assert teller.publish([("connection.created", EVENT)]) == [True]
    assert channel.basic_get(QUEUE, auto_ack=True)[2] == EVENT


def test_an_exchange_of_that_name_that_is_another_takes_nothing(teller: ConfirmingPublisher, channel: Any) -> None:
    channel.exchange_declare(TOLD_EXCHANGE, "direct", durable=True)

    with pytest.raises(BrokerUnreachable, match="inequivalent arg 'type'"):
        teller.publish([("connection.created", EVENT)])


def test_a_queue_of_the_core_that_is_full_refuses_and_the_event_stays_ours(
    teller: ConfirmingPublisher, bind: Callable[..., None]
) -> None:
    bind("connection.created", x_max_length=1, x_overflow="reject-publish")
    teller.publish([("connection.created", EVENT)])

    assert teller.publish([("connection.created", EVENT), ("sync.completed", EVENT)]) == [False, True]
