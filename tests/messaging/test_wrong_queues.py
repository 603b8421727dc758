"""A queue under one of our names that something else made: its lane waits and says so, every other lane goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import dramatiq
import pika
import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.common import dq_name, xq_name

from messaging import (
    BrokerUnreachable,
    ConfirmingPublisher,
    Consumers,
    Database,
    EventConsumer,
    Lane,
    ReceivedEvent,
    encode,
)
from messaging.event_queues import DEAD, QUEUE
from tests.messaging.doubles import WorkerRunning
from tests.servers.processes import wait_until

pytestmark = pytest.mark.integration

HANG_SECONDS = 60
MESSAGE = encode("work", Lane.NIGHTLY, {"job_id": 7})


@pytest.fixture(autouse=True)
def _short_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("broker", "reader"):
        monkeypatch.setattr(f"messaging.{module}.WRONG_QUEUE_SECONDS", 0.1)


@pytest.fixture
def channel(rabbitmq_url: str) -> Iterator[Any]:
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        yield connection.channel()


@pytest.fixture
def consumers(broker: RabbitmqBroker) -> Consumers:
    broker.add_middleware(consumers := Consumers())
    return consumers


@pytest.mark.parametrize("queue", [Lane.NIGHTLY, dq_name(Lane.NIGHTLY), xq_name(Lane.NIGHTLY)])
def test_a_lane_with_a_wrong_queue_waits_says_so_and_is_served_once_that_is_deleted(
    broker: RabbitmqBroker,
    channel: Any,
    consumers: Consumers,
    publisher: ConfirmingPublisher,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    caplog: pytest.LogCaptureFixture,
    queue: str,
) -> None:
    channel.queue_declare(queue, durable=True)
    nightly = declare_actor(broker)
    interactive: list[int] = []

    @dramatiq.actor(broker=broker, actor_name="now", queue_name=Lane.INTERACTIVE)
    def actor(job_id: int) -> None:
        interactive.append(job_id)

    publisher.publish([(Lane.INTERACTIVE, encode("now", Lane.INTERACTIVE, {"job_id": 8}))])
    with worker_running(broker, lanes=[Lane.NIGHTLY, Lane.INTERACTIVE]):
        wait_until(lambda: interactive == [8], seconds=HANG_SECONDS, what="the other lane to be served")
        wait_until(lambda: queue in consumers.why_not_working(), seconds=HANG_SECONDS, what="the lane to be named")
        assert "03-broker.md" in consumers.why_not_working()
        assert not [record for record in caplog.records if record.exc_info and record.name.startswith("dramatiq")]

        channel.queue_delete(queue)
        publisher.publish([(Lane.NIGHTLY, MESSAGE)])
        wait_until(lambda: nightly == [7], seconds=HANG_SECONDS, what="the lane to be served")
        wait_until(lambda: consumers.why_not_working() == "", seconds=HANG_SECONDS, what="the worker to be ready")


@pytest.mark.parametrize("queue", [QUEUE, DEAD])
def test_a_listener_with_a_wrong_queue_waits_and_says_so(
    rabbitmq_url: str, database: Database, channel: Any, caplog: pytest.LogCaptureFixture, queue: str
) -> None:
    channel.queue_declare(queue, durable=True)
    received: list[ReceivedEvent] = []
    consumer = EventConsumer(rabbitmq_url, received.append, database, outages=())
    stop = threading.Event()
    thread = threading.Thread(target=consumer.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: queue in consumer.why_not_working(), seconds=HANG_SECONDS, what="the queue to be named")
        assert "03-broker.md" in consumer.why_not_working()
        channel.queue_delete(queue)
        wait_until(lambda: consumer.why_not_working() == "", seconds=HANG_SECONDS, what="the listener to be ready")
    finally:
        stop.set()
        thread.join()
    ours = [record for record in caplog.records if record.name == "messaging.reader"]
    assert {record.levelno for record in ours} == {logging.WARNING}
    assert all(queue in record.getMessage() and record.exc_info is None for record in ours)


def test_a_publisher_that_meets_a_wrong_queue_says_what_to_do(publisher: ConfirmingPublisher, channel: Any) -> None:
    channel.queue_declare(dq_name(Lane.NIGHTLY), durable=True)

    with pytest.raises(BrokerUnreachable, match=r"nightly\.DQ.*03-broker\.md"):
        publisher.publish([(Lane.NIGHTLY, MESSAGE)])
