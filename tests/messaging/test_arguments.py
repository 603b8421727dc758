"""A message that its actor cannot be called with is in quarantine at once, and its worker goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.stub import StubBroker

from clients.qonto.account_events import EventType
from messaging import ConfirmingPublisher, DeadLetter, InProcessPublisher, Lane, NotAMessage, encode
from messaging.arguments import BIGINT
from messaging.messages import decode
from services.sync_organisation import ACTOR
from tests.counted import counted
from tests.messaging.doubles import WorkerRunning
from tests.servers.processes import wait_until
from workers.actors import declare_actors

WRONG: dict[str, dict[str, Any]] = {
    "nothing": {"kwargs": {}},
    "text": {"kwargs": {"job_id": "7"}},
    "half a surrogate pair": {"kwargs": {"job_id": "\ud83d"}},
    "an object": {"kwargs": {"job_id": {"id": 7}}},
    "a truth": {"kwargs": {"job_id": True}},
    "a fraction": {"kwargs": {"job_id": 7.0}},
    "beyond what a database counts": {"kwargs": {"job_id": BIGINT + 1}},
    "below zero": {"kwargs": {"job_id": -1}},
    "by place, too many": {"args": [7, 8], "kwargs": {}},
    "twice": {"args": [7], "kwargs": {"job_id": 7}},
    "another argument": {"kwargs": {"job_id": 7, "why": "unheard of"}},
}


def with_fields(lane: str = Lane.NIGHTLY, actor: str = "work", **fields: Any) -> tuple[str, bytes]:
    return lane, json.dumps(json.loads(encode(actor, lane, {})) | fields).encode()


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_arguments_are_in_quarantine_without_a_start_or_a_retry(
    stub_broker: StubBroker,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    letters: list[DeadLetter],
    wrong: dict[str, Any],
) -> None:
    starts = declare_actor(stub_broker)
    refused = counted("qonto_xero_jobs_total", lane="nightly", outcome="refused")
    InProcessPublisher(stub_broker).publish([with_fields(**wrong), with_fields(kwargs={"job_id": 9})])

    with worker_running(stub_broker):
        wait_until(lambda: starts == [9], seconds=60, what="the next message to be run")

    (letter,) = letters
    assert letter.reason.startswith("WrongArguments: ")
    assert "unheard" not in letter.reason
    assert refused() == 1


@pytest.mark.integration
def test_a_wrong_argument_leaves_rabbitmq_for_quarantine(
    broker: RabbitmqBroker,
    publisher: ConfirmingPublisher,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    letters: list[DeadLetter],
) -> None:
    starts = declare_actor(broker)
    publisher.publish([with_fields(kwargs={"job_id": "\ud83d"}), with_fields(kwargs={"job_id": 9})])

    with worker_running(broker):
        wait_until(lambda: starts == [9] and bool(letters), seconds=60, what="both messages to be dealt with")

    assert letters[0].reason == f"WrongArguments: job_id is not a whole number from 0 to {BIGINT}"


@pytest.mark.parametrize(
    ("actor", "argument"),
    [(ACTOR, "run_id"), (EventType.CREATED, "event_id"), (EventType.DEACTIVATED, "event_id")],
)
def test_every_actor_takes_one_id_and_ignores_what_a_later_version_adds(
    stub_broker: StubBroker,
    worker_running: WorkerRunning,
    letters: list[DeadLetter],
    actor: str,
    argument: str,
) -> None:
    declare_actors(stub_broker, None, Event())  # type: ignore[arg-type] # no message comes as far as the services
    lane = Lane.INTERACTIVE
    bodies = [with_fields(lane, actor, kwargs=kwargs) for kwargs in ({}, {argument: "7"}, {argument: -1, "later": 1})]
    InProcessPublisher(stub_broker).publish(bodies)

    with worker_running(stub_broker, lanes=[lane]):
        wait_until(lambda: len(letters) == 3, seconds=60, what="all three to be in quarantine")

    wrong = f"{argument} is not a whole number from 0 to {BIGINT}"
    assert sorted(letter.reason.removeprefix("WrongArguments: ") for letter in letters) == sorted(
        [f"the actor takes {argument}, and the message has others", wrong, wrong]
    )


@pytest.mark.parametrize(
    "options",
    [
        {"eta": "tomorrow"},
        {"eta": None},
        {"eta": 10**18},
        {"eta": float("inf")},
        {"eta": -1},
        {"retries": "many"},
        {"retries": 1.5},
        {"requeue_timestamp": {}},
    ],
    ids=str,
)
def test_options_that_no_broker_of_ours_writes_are_refused(options: dict[str, Any]) -> None:
    _, body = with_fields(kwargs={"job_id": 7}, options=options)

    with pytest.raises(NotAMessage):
        decode(body, queue="nightly")


@pytest.mark.integration
def test_options_of_others_are_ignored(
    broker: RabbitmqBroker,
    publisher: ConfirmingPublisher,
    declare_actor: Callable[..., list[int]],
    worker_running: WorkerRunning,
    letters: list[DeadLetter],
) -> None:
    """dramatiq would obey them: the first would end its thread, and the message with it."""

    def fail(job_id: int) -> None:
        raise ValueError(job_id)

    starts = declare_actor(broker, fail, max_retries=0)
    foreign = {"throws": "ValueError", "max_retries": 9, "on_retry_exhausted": "work", "time_limit": "long"}
    publisher.publish([with_fields(kwargs={"job_id": 7}, options=foreign)])

    with worker_running(broker):
        wait_until(lambda: bool(letters), seconds=60, what="the message to be in quarantine")

    assert starts == [7]
    assert letters[0].reason == "ValueError: 7"
