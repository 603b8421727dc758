"""A message that failed for good is written down, whoever gave up on it."""

import json
from collections.abc import Callable
from contextlib import closing

import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.stub import StubBroker

from messaging import ConfirmingPublisher, Database, DeadLetter, encode, rabbitmq_broker
from messaging.dead_letters import read_dead_letter, why_dead
from messaging.queues import DELIVERY_LIMIT
from tests.messaging.doubles import CountedDatabase, CountMessages, WorkerRunning
from tests.servers.processes import wait_until

MESSAGE = encode("work", "nightly", {"job_id": 7})


def _fail(job_id: int) -> None:
    raise ValueError("line one\nline two \x1b[31m")


def test_a_message_out_of_retries_is_recorded_with_its_bytes_and_reason(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    letters: list[DeadLetter],
    counted_database: CountedDatabase,
) -> None:
    starts = declare_actor(stub_broker, _fail, max_retries=1, min_backoff=1, max_backoff=1)
    stub_broker.enqueue(stub_broker.get_actor("work").message(job_id=7))

    with worker_running(stub_broker):
        wait_until(lambda: bool(letters), seconds=10, what="the message to be in quarantine")

    (letter,) = letters
    body = json.loads(letter.body)
    assert starts == [7, 7]
    assert (letter.queue, letter.actor, body["kwargs"]) == ("nightly", "work", {"job_id": 7})
    assert letter.reason == r"ValueError: line one\nline two \x1b[31m"
    assert "traceback" not in body["options"]
    assert not counted_database.out


@pytest.mark.integration
@pytest.mark.parametrize(
    ("body", "actor", "reason"),
    [
        (b"\xff not json", None, "the body is not a message (DecodeError)"),
        (encode("work", "backfill", {}), None, "it names another queue than the one it was found on"),
        (encode("gone", "nightly", {}), "gone", "ActorNotFound: gone"),
    ],
    ids=["undecodable", "misdirected", "unknown actor"],
)
def test_a_message_no_worker_can_run_is_recorded_and_leaves_every_queue(
    broker: RabbitmqBroker,
    publisher: ConfirmingPublisher,
    worker_running: WorkerRunning,
    letters: list[DeadLetter],
    count_messages: CountMessages,
    body: bytes,
    actor: str | None,
    reason: str,
) -> None:
    publisher.publish([("nightly", body)])

    with worker_running(broker):
        wait_until(lambda: bool(letters), seconds=10, what="the message to be in quarantine")

    (letter,) = letters
    assert (letter.body, letter.actor, letter.reason) == (body, actor, reason)
    assert [count_messages(queue) for queue in ("nightly", "nightly.XQ")] == [0, 0]


@pytest.mark.integration
def test_a_job_that_takes_its_worker_down_each_time_is_recorded(
    broker: RabbitmqBroker,
    publisher: ConfirmingPublisher,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    letters: list[DeadLetter],
) -> None:
    starts = declare_actor(broker)
    publisher.publish([("nightly", MESSAGE)])
    for _ in range(DELIVERY_LIMIT + 1):
        consumer = broker.consume("nightly", timeout=5000)
        assert next(consumer) is not None
        consumer.close()

    with worker_running(broker):
        wait_until(lambda: bool(letters), seconds=10, what="the message to be in quarantine")

    assert starts == []
    assert letters[0].reason == "the worker died or lost its connection 5 times while it held it"
    assert letters[0].body == MESSAGE


@pytest.mark.integration
def test_a_failure_while_the_database_is_away_is_recorded_when_it_is_back(
    rabbitmq_url: str,
    database: Database,
    letters: list[DeadLetter],
    publisher: ConfirmingPublisher,
    worker_running: WorkerRunning,
    count_messages: CountMessages,
) -> None:
    failures = [ConnectionRefusedError("no database here")] * 2

    def record(letter: DeadLetter) -> None:
        if failures:
            raise failures.pop()
        letters.append(letter)

    publisher.publish([("nightly", encode("gone", "nightly", {}))])
    with (
        closing(rabbitmq_broker(rabbitmq_url, database=database, record=record)) as broker,
        worker_running(broker),
    ):
        wait_until(lambda: bool(letters), seconds=10, what="the message to be in quarantine")

    assert [letter.reason for letter in letters] == ["a worker rejected it and could not write it down"]
    assert count_messages("nightly.XQ") == 0


def test_a_cause_nobody_foresaw_is_recorded_as_rabbitmq_names_it() -> None:
    letter = read_dead_letter("nightly", {"x-first-death-reason": "expired"}, MESSAGE)

    assert letter.reason == "expired"


@pytest.mark.parametrize(
    "forged", ["", "\x00", "one\ntwo", "FR7630001007941234567890185", "a" * 500, 7, b"\xff", ["expired"], None]
)
def test_a_cause_that_is_no_word_of_rabbitmqs_is_not_repeated(forged: object) -> None:
    assert why_dead({"x-first-death-reason": forged}) == "unknown"
