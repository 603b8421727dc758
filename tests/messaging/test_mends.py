"""Each fault of the stock broker, shown with the stock broker, and gone with ours."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from dramatiq.broker import MessageProxy
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.errors import ConnectionClosed
from dramatiq.worker import Worker

from messaging import DeadLetter, Lane, encode
from messaging.messages import decode
from tests.messaging.doubles import CountMessages
from tests.servers.processes import wait_until
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = pytest.mark.integration

NIGHTLY = Lane.NIGHTLY.value
EVERYWHERE = [NIGHTLY, f"{NIGHTLY}.DQ", f"{NIGHTLY}.XQ"]


def _enqueue(broker: RabbitmqBroker, *job_ids: int) -> None:
    for job_id in job_ids:
        broker.enqueue(decode(encode("work", NIGHTLY, {"job_id": job_id})))


def _fail(job_id: int) -> None:
    raise RuntimeError("try again later")


def _refuse_delays(broker: RabbitmqBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    enqueue = broker.enqueue

    def refuse(message: Any, *, delay: int | None = None) -> Any:
        if delay is not None:
            raise OSError("the delay queue is away")
        return enqueue(message, delay=delay)

    monkeypatch.setattr(broker, "enqueue", refuse)


def _run_until_idle(broker: RabbitmqBroker, starts: list[int]) -> None:
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.start()
    wait_until(lambda: bool(starts), seconds=10, what="the job to start")
    worker.stop(timeout=100_000)


def test_stock_broker_loses_a_message_whose_retry_cannot_be_enqueued(
    stock_broker: RabbitmqBroker,
    declare_actor: Callable[..., list[int]],
    count_messages: CountMessages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts = declare_actor(stock_broker, _fail)
    _enqueue(stock_broker, 1)
    _refuse_delays(stock_broker, monkeypatch)

    _run_until_idle(stock_broker, starts)

    assert [count_messages(queue) for queue in EVERYWHERE] == [0, 0, 0]


def test_a_message_whose_retry_cannot_be_enqueued_goes_to_quarantine(
    broker: RabbitmqBroker,
    declare_actor: Callable[..., list[int]],
    letters: list[DeadLetter],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts = declare_actor(broker, _fail)
    _enqueue(broker, 1)
    _refuse_delays(broker, monkeypatch)

    _run_until_idle(broker, starts)

    assert [(letter.actor, letter.reason) for letter in letters] == [("work", "RuntimeError: try again later")]


def _messages_left_when_an_old_one_is_acked_after_a_reconnect(
    broker: RabbitmqBroker, server: RabbitmqServer, vhost: str, count_messages: CountMessages
) -> int:
    """Of jobs 1, 2, 3: 1 is done, 2 ends after its connection broke, 3 never starts. Then the worker dies."""
    _enqueue(broker, 1, 2, 3)
    first = broker.consume(NIGHTLY, prefetch=1, timeout=1000)
    first.ack(_next(first))
    running = _next(first)
    server.close_all_connections(vhost=vhost)
    with pytest.raises(ConnectionClosed):
        _next(first)

    second = broker.consume(NIGHTLY, prefetch=2, timeout=1000)
    _next(second), _next(second)
    second.ack(running)
    second.close()
    return count_messages(NIGHTLY)


def _next(consumer: Any) -> MessageProxy:
    message: MessageProxy | None = None
    while message is None:
        message = next(consumer)
    return message


def test_stock_broker_acks_a_job_that_never_ran(
    stock_broker: RabbitmqBroker, rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str, count_messages: CountMessages
) -> None:
    left = _messages_left_when_an_old_one_is_acked_after_a_reconnect(
        stock_broker, rabbitmq_server, rabbitmq_vhost, count_messages
    )

    assert left == 1


def test_an_ack_never_reaches_another_message_than_its_own(
    broker: RabbitmqBroker, rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str, count_messages: CountMessages
) -> None:
    left = _messages_left_when_an_old_one_is_acked_after_a_reconnect(
        broker, rabbitmq_server, rabbitmq_vhost, count_messages
    )

    assert left == 2


def _starts_when_the_connection_breaks_once(
    broker: RabbitmqBroker,
    declare_actor: Callable[..., list[int]],
    server: RabbitmqServer,
    vhost: str,
    *,
    jobs: int,
) -> int:
    gate = threading.Event()
    starts = declare_actor(broker, lambda _: gate.wait(600))
    _enqueue(broker, *range(jobs))
    worker = Worker(broker, worker_threads=1, worker_timeout=100)
    worker.queue_prefetch = jobs
    worker.start()
    wait_until(lambda: worker.work_queue.qsize() == jobs - 1, seconds=10, what="the other jobs to wait in memory")

    server.close_all_connections(vhost=vhost)
    wait_until(lambda: worker.work_queue.qsize() == 2 * jobs - 1, seconds=20, what="all jobs to come again")
    gate.set()

    wait_until(lambda: not worker.work_queue.unfinished_tasks, seconds=20, what="the jobs to end")
    worker.stop(timeout=100_000)
    return len(starts)


def test_stock_broker_runs_every_fetched_job_twice_when_the_connection_breaks(
    stock_broker: RabbitmqBroker,
    declare_actor: Callable[..., list[int]],
    rabbitmq_server: RabbitmqServer,
    rabbitmq_vhost: str,
) -> None:
    starts = _starts_when_the_connection_breaks_once(
        stock_broker, declare_actor, rabbitmq_server, rabbitmq_vhost, jobs=8
    )

    assert starts == 16


def test_only_the_running_job_runs_twice_when_the_connection_breaks(
    broker: RabbitmqBroker,
    declare_actor: Callable[..., list[int]],
    rabbitmq_server: RabbitmqServer,
    rabbitmq_vhost: str,
) -> None:
    starts = _starts_when_the_connection_breaks_once(broker, declare_actor, rabbitmq_server, rabbitmq_vhost, jobs=8)

    assert starts == 9
