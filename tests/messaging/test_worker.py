"""A worker process: what surrounds a job, how it waits for a broker, how it stops."""

import logging
import re
import threading
from collections.abc import Callable
from typing import Any

import dramatiq
import pytest
from dramatiq.broker import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, SkipMessage
from dramatiq.worker import Worker

from log_context import LogContextFilter, log_context, logging_with
from messaging import ConfirmingPublisher, Consumers, DeadLetter, Lane, encode
from tests.counted import counted
from tests.messaging.doubles import CountedDatabase, CountMessages, WorkerRunning
from tests.servers.processes import wait_until
from tests.servers.rabbitmq import RabbitmqServer

HANG_SECONDS = 600  # only ends a hang
JOBS = [("nightly", encode("work", "nightly", {"job_id": job_id})) for job_id in (1, 2, 3)]


class Drain(Middleware):
    """Sees when a worker's threads have been told to take no further job."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def before_worker_shutdown(self, _broker: Broker, worker: Worker) -> None:
        self._worker = worker

    def has_begun(self) -> bool:
        return self._worker is not None and not any(thread.running for thread in self._worker.workers)


@pytest.mark.integration
def test_stopping_lets_the_running_job_finish_and_nothing_waits_behind_it_in_memory(
    broker: RabbitmqBroker,
    publisher: ConfirmingPublisher,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    count_messages: CountMessages,
) -> None:
    gate, ended = threading.Event(), threading.Event()

    def work(job_id: int) -> None:
        gate.wait(HANG_SECONDS)
        ended.set()

    starts = declare_actor(broker, work)
    drain = Drain()
    broker.add_middleware(drain)
    publisher.publish(JOBS)
    with worker_running(broker) as stop:
        wait_until(lambda: starts == [1], seconds=10, what="the first job to start")
        assert count_messages("nightly") == 2
        stop.set()
        wait_until(drain.has_begun, seconds=10, what="the drain to begin")
        gate.set()

    assert ended.is_set()
    assert starts == [1]
    assert count_messages("nightly") == 2


@pytest.mark.integration
def test_no_person_waits_while_every_thread_of_the_night_is_busy(
    broker: RabbitmqBroker,
    publisher: ConfirmingPublisher,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
) -> None:
    gate, answered = threading.Event(), threading.Event()
    starts = declare_actor(broker, lambda _: gate.wait(HANG_SECONDS))
    dramatiq.actor(broker=broker, actor_name="answer", queue_name=Lane.INTERACTIVE)(answered.set)
    assert all(publisher.publish(JOBS))

    with worker_running(broker, threads=2, lanes=Lane):
        wait_until(lambda: sorted(starts) == [1, 2], seconds=10, what="the night to be busy")
        assert publisher.publish([("interactive", encode("answer", "interactive", {}))]) == [True]
        assert answered.wait(HANG_SECONDS)
        assert sorted(starts) == [1, 2]
        gate.set()


def test_a_job_that_outlasts_the_drain_does_not_keep_the_process(
    stub_broker: StubBroker, declare_actor: Callable[..., list[int]], worker_running: WorkerRunning
) -> None:
    gate = threading.Event()
    starts = declare_actor(stub_broker, lambda _: gate.wait(HANG_SECONDS))
    stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=1))

    with worker_running(stub_broker, drain_seconds=0.2):
        wait_until(lambda: starts == [1], seconds=5, what="the job to start")
    gate.set()


@pytest.mark.integration
def test_a_failed_job_is_tried_again_without_its_traceback_travelling(
    broker: RabbitmqBroker,
    publisher: ConfirmingPublisher,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    enqueued: list[dict[str, object]] = []
    attempts = iter([0, 1])
    starts = declare_actor(broker, lambda _: 1 / next(attempts), min_backoff=10, max_backoff=20)
    enqueue = broker.enqueue

    def enqueue_and_note(message: Any, *, delay: int | None = None) -> Any:
        sent = enqueue(message, delay=delay)
        enqueued.append(sent.options)
        return sent

    monkeypatch.setattr(broker, "enqueue", enqueue_and_note)
    publisher.publish(JOBS[:1])

    with worker_running(broker):
        wait_until(lambda: starts == [1, 1], seconds=10, what="the second attempt")

    assert enqueued[0]["retries"] == 1
    assert not any("traceback" in options for options in enqueued)


def test_without_a_database_the_actor_does_not_run_and_the_message_is_tried_again(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    counted_database: CountedDatabase,
) -> None:
    starts = declare_actor(stub_broker, min_backoff=50, max_backoff=50)
    counted_database.reachable = False
    message = stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=1))

    with worker_running(stub_broker):
        delayed = stub_broker.queues["nightly.DQ"]
        wait_until(lambda: bool(delayed.unfinished_tasks), seconds=5, what="a retry of the message")
        assert starts == []
        counted_database.reachable = True
        wait_until(lambda: starts == [1], seconds=5, what=f"message {message.message_id} to run")


def test_no_thread_keeps_a_connection_after_its_job(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    counted_database: CountedDatabase,
) -> None:
    starts = declare_actor(stub_broker, lambda job_id: 1 / job_id, max_retries=0)
    for job_id in (0, 1, 2):
        stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=job_id))

    with worker_running(stub_broker, threads=2):
        wait_until(lambda: sorted(starts) == [0, 1, 2], seconds=5, what="the jobs to run")

    assert counted_database.opened >= 3
    assert not counted_database.out


def test_a_skipped_message_gives_its_connection_back(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    counted_database: CountedDatabase,
) -> None:
    class SkipAll(Middleware):
        def before_process_message(self, *_: object) -> None:
            raise SkipMessage

    starts = declare_actor(stub_broker)
    stub_broker.add_middleware(SkipAll())
    stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=1))

    with worker_running(stub_broker):
        stub_broker.join("nightly", timeout=60_000)

    assert starts == []
    assert counted_database.opened == 1
    assert not counted_database.out


def test_a_job_without_end_is_ended_by_its_time_limit(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    letters: list[DeadLetter],
) -> None:
    never = threading.Event()

    def work_for_ever(_: int) -> None:
        while not never.wait(0.01):
            pass

    declare_actor(stub_broker, work_for_ever, time_limit=10, max_retries=0)
    stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=1))

    with worker_running(stub_broker):
        wait_until(lambda: bool(letters), seconds=10, what="the job to be ended")

    assert letters[0].reason.startswith("TimeLimitExceeded")


def test_every_line_a_job_logs_carries_its_ids(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    caplog: pytest.LogCaptureFixture,
) -> None:
    contexts: list[dict[str, object]] = []

    def work(job_id: int) -> None:
        with logging_with(batch_id=5):
            record = logging.LogRecord("any", logging.INFO, "any", 1, "posted", (), None)
            assert LogContextFilter().filter(record)
            contexts.append(dict(vars(record)["context"]))

    declare_actor(stub_broker, work)
    message = stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=1))

    with worker_running(stub_broker):
        wait_until(lambda: bool(contexts), seconds=5, what="the job to log")

    assert contexts == [{"message_id": message.message_id, "actor": "work", "job_id": 1, "batch_id": 5}]
    assert log_context() == {}


def test_every_message_is_counted_once_by_how_it_ended(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    counted_database: CountedDatabase,
    worker_running: WorkerRunning,
) -> None:
    lane = Lane.NIGHTLY.value
    ended = {
        outcome: counted("qonto_xero_jobs_total", lane=lane, outcome=outcome)
        for outcome in ("done", "failed", "skipped")
    }
    running, timed = counted("qonto_xero_jobs_running", lane=lane), counted("qonto_xero_job_seconds_count", lane=lane)
    seen: list[float] = []

    def work(job_id: int) -> None:
        seen.append(running())
        if job_id == 2:
            raise ValueError
        if job_id == 3:
            raise SkipMessage
        counted_database.reachable = job_id != 1

    declare_actor(stub_broker, work, max_retries=0)
    for job_id in (2, 3, 1, 4):  # by then the database is away
        stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=job_id))
    with worker_running(stub_broker):
        wait_until(lambda: timed() == 4, seconds=10, what="all to be counted")

    assert {outcome: more() for outcome, more in ended.items()} == {"done": 1, "failed": 2, "skipped": 1}
    assert seen == [1, 1, 1]
    assert running() == 0


@pytest.mark.integration
def test_consumers_are_well_once_every_lane_is_read(
    broker: RabbitmqBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    rabbitmq_server: RabbitmqServer,
    rabbitmq_vhost: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker.add_middleware(consumers := Consumers())
    declare_actor(broker)
    assert consumers.why_not_working() == "no consumer has started"

    with worker_running(broker):
        wait_until(lambda: not consumers.why_not_working(), seconds=10, what="all to be read")
        monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.5)
        rabbitmq_server.close_all_connections(vhost=rabbitmq_vhost)
        wait_until(lambda: bool(consumers.why_not_working()), seconds=10, what="the loss to be seen")

        assert re.fullmatch(r"the consumer of nightly(\.DQ)? is not connected", consumers.why_not_working())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_consumer_that_died_is_replaced(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts = declare_actor(stub_broker)
    consume, deaths = stub_broker.consume, [SystemExit()]

    def die_once(queue_name: str, prefetch: int = 1, timeout: int = 100) -> object:
        if deaths and queue_name == "nightly":
            raise deaths.pop()
        return consume(queue_name, prefetch, timeout)

    monkeypatch.setattr(stub_broker, "consume", die_once)
    stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=1))

    with worker_running(stub_broker):
        wait_until(lambda: starts == [1], seconds=10, what="the job to run")

    assert not deaths


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_replaced(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts = declare_actor(stub_broker)
    emit_after, deaths = stub_broker.emit_after, [SystemExit()]

    def die_once(signal: str, *arguments: object, **options: object) -> None:
        if deaths and signal == "process_message":
            raise deaths.pop()
        emit_after(signal, *arguments, **options)

    monkeypatch.setattr(stub_broker, "emit_after", die_once)
    for job_id in (1, 2):
        stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=job_id))

    with worker_running(stub_broker):
        wait_until(lambda: 2 in starts, seconds=10, what="the job after the death to run")
