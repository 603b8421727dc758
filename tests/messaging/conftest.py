"""Brokers, a worker in a thread, a quarantine that is a list, and a look into queues."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
import pika
import pytest
from dramatiq.broker import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.stub import StubBroker

from messaging import ConfirmingPublisher, Database, DeadLetter, Lane, in_process_broker, rabbitmq_broker, run_worker
from tests.messaging.doubles import CountedDatabase, CountMessages, WorkerRunning


@pytest.fixture
def counted_database() -> CountedDatabase:
    return CountedDatabase()


@pytest.fixture
def database(counted_database: CountedDatabase) -> Database:
    return Database(open=counted_database.open, close=counted_database.close)


@pytest.fixture
def letters() -> list[DeadLetter]:
    """The quarantine."""
    return []


@pytest.fixture
def stub_broker(database: Database, letters: list[DeadLetter]) -> Iterator[StubBroker]:
    broker = in_process_broker(database=database, record=letters.append)
    yield broker
    broker.close()


@pytest.fixture
def broker(rabbitmq_url: str, database: Database, letters: list[DeadLetter]) -> Iterator[RabbitmqBroker]:
    broker = rabbitmq_broker(rabbitmq_url, database=database, record=letters.append)
    yield broker
    broker.close()


@pytest.fixture
def stock_broker(rabbitmq_url: str) -> Iterator[RabbitmqBroker]:
    """dramatiq's own broker with its own middleware: what the mends are measured against."""
    broker = RabbitmqBroker(url=rabbitmq_url, confirm_delivery=True)
    yield broker
    broker.close()


@pytest.fixture
def publisher(rabbitmq_url: str) -> Iterator[ConfirmingPublisher]:
    publisher = ConfirmingPublisher(rabbitmq_url)
    yield publisher
    publisher.close()


@pytest.fixture
def count_messages(rabbitmq_url: str) -> CountMessages:
    """How many messages a queue of this test's vhost holds that no consumer has."""

    def count(queue: str) -> int:
        with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
            answer: Any = connection.channel().queue_declare(queue, passive=True)
            messages: int = answer.method.message_count
            return messages

    return count


@pytest.fixture(autouse=True)
def _quick_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer that lost its connection tries again at once, not after dramatiq's three seconds."""
    monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.1)
    monkeypatch.setattr("messaging.reader.PAUSE_SECONDS", 0.1)


@pytest.fixture
def worker_running() -> WorkerRunning:
    """`run_worker` in a thread for the length of a block; gives the event that stops it."""

    @contextmanager
    def running(
        broker: Broker, *, threads: int = 1, drain_seconds: float = 10, lanes: Iterable[Lane] = (Lane.NIGHTLY,)
    ) -> Iterator[threading.Event]:
        stop = threading.Event()
        thread = threading.Thread(
            target=run_worker,
            args=(broker, lanes, threads, stop),
            kwargs={"drain_seconds": drain_seconds},
        )
        thread.start()
        try:
            yield stop
        finally:
            stop.set()
            thread.join(300)
            assert not thread.is_alive(), "the worker did not stop"

    return running


@pytest.fixture
def declare_actor() -> Callable[..., list[int]]:
    """Declares an actor on the nightly lane that notes the `job_id` of every start, and returns these notes."""

    def declare(broker: Broker, work: Callable[[int], object] = lambda _: None, **options: Any) -> list[int]:
        starts: list[int] = []

        @dramatiq.actor(broker=broker, actor_name="work", queue_name=Lane.NIGHTLY, **options)
        def actor(job_id: int) -> None:
            starts.append(job_id)
            work(job_id)

        return starts

    return declare
