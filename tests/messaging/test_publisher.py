"""Publishing: True means safe, and nothing ever hangs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pika
import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import ConnectionClosed

from messaging import BrokerUnreachable, ConfirmingPublisher, Database, InProcessPublisher, encode, rabbitmq_broker
from messaging.confirms import WINDOW
from messaging.messages import decode
from messaging.publisher import KEEP_SECONDS
from tests.messaging.doubles import CountMessages, WorkerRunning
from tests.servers.processes import free_ports, wait_until
from tests.servers.rabbitmq import RabbitmqServer

# RabbitMQ 3.10 writes its register of quorum queues every half second: a queue younger than that when the node is
# killed has no leader afterwards.
DECLARED_FOR_GOOD_SECONDS = 1.0

MESSAGE = encode("work", "nightly", {"job_id": 1})


@pytest.mark.integration
def test_a_batch_larger_than_the_window_is_confirmed_and_stored(
    publisher: ConfirmingPublisher, count_messages: CountMessages
) -> None:
    answers = publisher.publish([("nightly", MESSAGE)] * (2 * WINDOW + 1))

    assert answers == [True] * (2 * WINDOW + 1)
    assert count_messages("nightly") == 2 * WINDOW + 1


@pytest.mark.integration
def test_a_missing_lane_is_declared_as_the_workers_declare_it(
    publisher: ConfirmingPublisher, broker: RabbitmqBroker, count_messages: CountMessages
) -> None:
    publisher.publish([("nightly", MESSAGE), ("backfill", MESSAGE), ("nightly", MESSAGE)])

    broker.declare_queue("nightly", ensure=True)
    broker.declare_queue("backfill", ensure=True)
    assert [count_messages(queue) for queue in ("nightly", "backfill", "nightly.XQ")] == [2, 1, 0]


@pytest.mark.integration
def test_a_full_queue_refuses_and_the_publisher_says_which(
    publisher: ConfirmingPublisher, rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str
) -> None:
    publisher.publish([("nightly", MESSAGE)] * 2)
    rabbitmq_server.ctl("set_policy", "-p", rabbitmq_vhost, "full", "^nightly$", '{"max-length": 1}')

    wait_until(lambda: publisher.publish([("nightly", MESSAGE)]) == [False], seconds=10, what="a refusal")

    assert publisher.publish([("nightly", MESSAGE), ("backfill", MESSAGE)]) == [False, True]


@pytest.mark.integration
def test_a_connection_the_broker_closed_is_replaced_on_the_next_call(
    publisher: ConfirmingPublisher, rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str
) -> None:
    publisher.publish([("nightly", MESSAGE)])
    rabbitmq_server.close_all_connections(vhost=rabbitmq_vhost)
    with pytest.raises(BrokerUnreachable):
        publisher.publish([("nightly", MESSAGE)])

    assert publisher.publish([("nightly", MESSAGE)]) == [True]


@pytest.mark.integration
def test_a_connection_idle_too_long_to_trust_is_not_used(
    publisher: ConfirmingPublisher,
    rabbitmq_server: RabbitmqServer,
    rabbitmq_vhost: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publisher.publish([("nightly", MESSAGE)])
    rabbitmq_server.close_all_connections(vhost=rabbitmq_vhost)
    later = time.monotonic() + KEEP_SECONDS + 1
    monkeypatch.setattr("messaging.publisher.time.monotonic", lambda: later)

    assert publisher.publish([("nightly", MESSAGE)]) == [True]


def test_an_unreachable_broker_is_named_without_its_password() -> None:
    (port,) = free_ports(1)
    publisher = ConfirmingPublisher(f"amqp://someone:sesame@127.0.0.1:{port}/")

    with pytest.raises(BrokerUnreachable, match=f"127.0.0.1:{port}") as raised:
        publisher.publish([("nightly", MESSAGE)])

    assert "sesame" not in str(raised.value)


@pytest.fixture
def full_disk(rabbitmq_server: RabbitmqServer) -> Iterator[None]:
    rabbitmq_server.set_disk_alarm(True)
    yield
    rabbitmq_server.set_disk_alarm(False)


@pytest.mark.integration
@pytest.mark.usefixtures("full_disk")
def test_a_broker_short_of_disk_makes_publishing_fail_in_time(
    rabbitmq_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dramatiq.brokers.rabbitmq.MAX_ENQUEUE_ATTEMPTS", 1)
    url = f"{rabbitmq_url}?blocked_connection_timeout=1"

    with pytest.raises(BrokerUnreachable, match="it blocks publishers"):
        ConfirmingPublisher(url, deadline_seconds=1).publish([("nightly", MESSAGE)])
    with closing(rabbitmq_broker(url, database=database, record=print)) as broker, pytest.raises(ConnectionClosed):
        broker.enqueue(decode(MESSAGE))


@pytest.mark.integration
def test_every_confirmed_message_is_run_although_the_broker_was_killed(
    broker: RabbitmqBroker,
    publisher: ConfirmingPublisher,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    rabbitmq_server: RabbitmqServer,
) -> None:
    starts = declare_actor(broker)
    confirmed: set[int] = set()
    is_down = threading.Event()

    def publish_until_it_is_down() -> None:
        job_ids = range(100)
        while not is_down.is_set():
            batch = [("nightly", encode("work", "nightly", {"job_id": job_id})) for job_id in job_ids]
            try:
                answers = publisher.publish(batch)
            except BrokerUnreachable:
                return
            confirmed.update(job_id for job_id, answer in zip(job_ids, answers, strict=True) if answer)
            job_ids = range(job_ids.stop, job_ids.stop + 100)

    publishing = threading.Thread(target=publish_until_it_is_down)
    with worker_running(broker, threads=2):
        publisher.publish([("nightly", MESSAGE)])
        declared_at = time.monotonic()
        wait_until(
            lambda: time.monotonic() > declared_at + DECLARED_FOR_GOOD_SECONDS, seconds=5, what="safe declarations"
        )
        publishing.start()
        wait_until(lambda: len(confirmed) > 200, seconds=20, what="confirms")
        with rabbitmq_server.outage():
            is_down.set()
            publishing.join(300)
        wait_until(lambda: confirmed <= set(starts), seconds=60, what="every confirmed job to run")

    assert len(confirmed) > 200


def test_in_process_messages_reach_the_actor(
    stub_broker: StubBroker, declare_actor: Callable[..., list[int]], worker_running: WorkerRunning
) -> None:
    starts = declare_actor(stub_broker)

    assert InProcessPublisher(stub_broker).publish([("nightly", MESSAGE)]) == [True]

    with worker_running(stub_broker):
        wait_until(lambda: starts == [1], seconds=5, what="the job to run")


def test_an_empty_batch_needs_no_broker() -> None:
    assert ConfirmingPublisher("amqp://nowhere.invalid/").publish([]) == []


@pytest.mark.integration
def test_messages_are_persistent(publisher: ConfirmingPublisher, rabbitmq_url: str) -> None:
    publisher.publish([("nightly", MESSAGE)])

    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        _, properties, body = connection.channel().basic_get("nightly", auto_ack=True)

    assert (properties.delivery_mode, body) == (2, MESSAGE)
