"""The consumer of Qonto's events: what the core publishes is handed on as it is, and acked once that is safe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import pika
import pytest
from pika.exceptions import UnroutableError

from messaging import Database, EventConsumer, ReceivedEvent
from messaging.dead_letters import REASONS
from messaging.event_queues import DEAD, EXCHANGE, KEY_ID, QUEUE, ROUTING_KEYS, SIGNATURE, declare_event_queues
from messaging.queues import DELIVERY_LIMIT
from tests.events import Milliseconds, event, headers_of
from tests.messaging.doubles import CountedDatabase, CountMessages
from tests.servers.processes import wait_until
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = pytest.mark.integration

BODY, HEADERS = event(), headers_of(event())
ANOTHER = event(id="event-2")
GIVEN_UP = REASONS["delivery_limit"]
A_MOMENT = 0.02  # seconds
A_LONG_TIME = 600.0
DECLARED_FOR_GOOD_SECONDS = 1.0  # as in test_publisher.py: a younger queue has no leader after kill -9
PROMPTLY = 5.0

# Publishes a message as Qonto's core does. Raises UnroutableError when no queue takes it.
Publish = Callable[..., None]
# A consumer that hands events to a function, in a thread for the length of a block; gives the event that stops it.
Consuming = Callable[..., AbstractContextManager[Event]]


class Outage(Exception):
    """What events are stored in is away."""


def test_events_of_either_type_are_handed_on_with_what_signs_them(publish: Publish, consuming: Consuming) -> None:
    received: list[ReceivedEvent] = []
    with consuming(received.append):
        for key in ROUTING_KEYS:
            publish(BODY, key=key)
        wait_until(lambda: len(received) == 2, seconds=10, what="the events")

    assert received == [ReceivedEvent(BODY, HEADERS[KEY_ID], HEADERS[SIGNATURE], died_of="")] * 2


@pytest.mark.parametrize("key", ["account.renamed", "account", "account.created.twice", "transaction.created", ""])
def test_a_message_of_another_routing_key_never_arrives(publish: Publish, key: str) -> None:
    with pytest.raises(UnroutableError):
        publish(BODY, key=key)


def test_what_was_being_received_when_the_connection_broke_comes_again(
    publish: Publish, consuming: Consuming, cut: Callable[[], None], count_messages: CountMessages
) -> None:
    received: list[bytes] = []
    gate = Event()

    def receive(message: ReceivedEvent) -> None:
        received.append(message.body)
        gate.wait(600)

    publish(BODY)
    with consuming(receive):
        wait_until(lambda: received == [BODY], seconds=10, what="the event")
        cut()
        gate.set()
        wait_until(lambda: received == [BODY, BODY], seconds=10, what="the event to come again")
        publish(ANOTHER)
        wait_until(lambda: received[2:] == [ANOTHER], seconds=10, what="the next event")

    assert count_messages(QUEUE) == 0


def test_what_was_received_before_the_order_to_stop_does_not_come_again(
    publish: Publish, consuming: Consuming, count_messages: CountMessages
) -> None:
    received: list[bytes] = []
    gate = Event()

    def receive(message: ReceivedEvent) -> None:
        received.append(message.body)
        gate.wait(600)

    publish(BODY)
    publish(ANOTHER)
    with consuming(receive) as stop:
        wait_until(lambda: received == [BODY], seconds=10, what="the first event")
        stop.set()
        gate.set()

    assert received == [BODY]
    assert count_messages(QUEUE) == 1


def test_headers_that_are_no_text_are_as_good_as_none(publish: Publish, consuming: Consuming) -> None:
    received: list[ReceivedEvent] = []
    values = [None, 7, True, b"\xff", {"a": [1]}, ["core-1"], datetime(2026, 11, 20, tzinfo=UTC)]
    for value in values:
        publish(BODY, headers={KEY_ID: value, SIGNATURE: value})
    publish(BODY, headers={})
    publish(BODY, headers=None)

    with consuming(received.append):
        wait_until(lambda: len(received) == len(values) + 2, seconds=10, what="the events")

    assert set(received) == {ReceivedEvent(BODY, key_id="", signature="", died_of="")}


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    outermost: list[Any] = []
    for _ in range(depth):
        outermost = [outermost]
    return outermost


@pytest.mark.parametrize(
    "value",
    [Milliseconds(2026, 11, 20), nested(5_000), {"sent": [Milliseconds(2026, 11, 20)], "deep": nested(5_000)}],
    ids=["a moment no calendar has", "a list without a bottom", "both in a table"],
)
def test_a_header_that_nobody_can_read_harms_neither_its_message_nor_another(
    publish: Publish, consuming: Consuming, value: object
) -> None:
    received: list[ReceivedEvent] = []
    with recursing_to(50_000):
        publish(BODY, headers={"x-before": value, **HEADERS, "x-after": value})
    publish(ANOTHER)

    with consuming(received.append):
        wait_until(lambda: len(received) == 2, seconds=10, what="both events")

    first, second = received
    assert first == ReceivedEvent(BODY, HEADERS[KEY_ID], HEADERS[SIGNATURE], died_of="")
    assert second.body == ANOTHER


def test_a_message_is_held_while_the_outage_lasts_and_it_does_not_count_against_it(
    publish: Publish, consuming: Consuming, count_messages: CountMessages
) -> None:
    received: list[ReceivedEvent] = []
    attempts = iter(range(2 * DELIVERY_LIMIT))

    def receive(message: ReceivedEvent) -> None:
        if next(attempts, None) is not None:
            raise Outage("no database here")
        received.append(message)

    publish(BODY)
    publish(ANOTHER)
    with consuming(receive):
        wait_until(lambda: len(received) == 2, seconds=20, what="the events after the outage")

    assert [(message.body, message.died_of) for message in received] == [(BODY, ""), (ANOTHER, "")]
    assert count_messages(DEAD) == 0


def test_an_outage_of_the_database_itself_is_waited_out(
    publish: Publish, consuming: Consuming, counted_database: CountedDatabase
) -> None:
    received: list[ReceivedEvent] = []
    counted_database.reachable = False
    publish(BODY)
    with consuming(received.append, outages=(ConnectionRefusedError,)):
        publish(ANOTHER)
        assert received == []
        counted_database.reachable = True
        wait_until(lambda: len(received) == 2, seconds=10, what="the events after the outage")

    assert not counted_database.out


def test_an_order_to_stop_is_followed_at_once_during_an_outage_and_the_message_waits_for_the_next(
    publish: Publish, consuming: Consuming, monkeypatch: pytest.MonkeyPatch, take: Callable[[], Any]
) -> None:
    attempts: list[bytes] = []

    def receive(message: ReceivedEvent) -> None:
        attempts.append(message.body)
        raise Outage("no database here")

    publish(BODY)
    with consuming(receive) as stop:
        wait_until(lambda: len(attempts) > DELIVERY_LIMIT, seconds=20, what="a few attempts")
        monkeypatch.setattr("messaging.reader.PAUSE_SECONDS", A_LONG_TIME)
        stop.set()

    assert take().headers["x-delivery-count"] == 1


def test_what_fails_as_nobody_foresaw_is_given_up_and_said_so_and_takes_no_other_along(
    publish: Publish, consuming: Consuming
) -> None:
    received: list[tuple[bytes, str]] = []

    def receive(message: ReceivedEvent) -> None:
        received.append((message.body, message.died_of))
        if message.body == BODY and not message.died_of:
            raise RuntimeError("nobody foresaw this")

    publish(BODY)
    publish(ANOTHER)
    with consuming(receive):
        wait_until(lambda: (BODY, GIVEN_UP) in received, seconds=20, what="the message to be given up")
        wait_until(lambda: (ANOTHER, "") in received, seconds=10, what="the other event")

    assert received.count((BODY, "")) == DELIVERY_LIMIT + 1
    assert len(received) == DELIVERY_LIMIT + 3


def test_a_message_that_brings_its_own_cause_of_death_is_given_up_all_the_same(
    publish: Publish, consuming: Consuming
) -> None:
    received: list[str] = []

    def receive(message: ReceivedEvent) -> None:
        received.append(message.died_of)
        if not message.died_of:
            raise RuntimeError("nobody foresaw this")

    death = {"queue": "theirs", "reason": "expired", "count": 1, "exchange": "", "routing-keys": ["theirs"]}
    publish(BODY, headers={"x-death": [death], "x-first-death-reason": ""})
    with consuming(receive):
        wait_until(lambda: any(received), seconds=20, what="the message to be given up")

    assert received == [""] * (DELIVERY_LIMIT + 1) + [received[-1]]


def test_a_queue_that_somebody_deleted_is_declared_again_and_read(
    publish: Publish, consuming: Consuming, rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str
) -> None:
    received: list[bytes] = []
    with consuming(lambda message: received.append(message.body)):
        rabbitmq_server.delete_queue(QUEUE, vhost=rabbitmq_vhost)
        wait_until(lambda: is_taken(publish, BODY), seconds=10, what="the queue to be bound again")
        wait_until(lambda: received == [BODY], seconds=10, what="the event")


def test_a_broker_that_was_killed_and_came_back_is_read_again(
    publish: Publish, consuming: Consuming, rabbitmq_server: RabbitmqServer
) -> None:
    received: list[bytes] = []
    with consuming(lambda message: received.append(message.body)):
        publish(BODY)
        declared_at = time.monotonic()
        wait_until(lambda: received == [BODY], seconds=10, what="the event before the outage")
        wait_until(lambda: time.monotonic() > declared_at + DECLARED_FOR_GOOD_SECONDS, seconds=5, what="a safe queue")
        with rabbitmq_server.outage():
            pass
        wait_until(lambda: is_taken(publish, ANOTHER), seconds=20, what="the queue to be there")
        wait_until(lambda: received[-1] == ANOTHER, seconds=20, what="the event after the outage")


def is_taken(publish: Publish, body: bytes) -> bool:
    """Publish it; whether a queue took it."""
    try:
        publish(body)
    except UnroutableError:
        return False
    return True


@contextmanager
def recursing_to(depth: int) -> Iterator[None]:
    """What is nested so deep can be written down inside the block."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.reader.POLL_SECONDS", A_MOMENT)
    monkeypatch.setattr("messaging.reader.PAUSE_SECONDS", 2 * A_MOMENT)


@pytest.fixture
def publish(rabbitmq_url: str) -> Publish:
    """With the queues declared, as they are once a consumer has run."""
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        declare_event_queues(connection.channel())

    def once(body: bytes, *, key: str = ROUTING_KEYS[0], headers: dict[str, Any] | None = HEADERS) -> None:
        with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
            channel: Any = connection.channel()
            channel.confirm_delivery()
            channel.basic_publish(EXCHANGE, key, body, pika.BasicProperties(headers=headers), mandatory=True)

    return once


@pytest.fixture
def take(rabbitmq_url: str) -> Callable[[], Any]:
    """Takes the message that waits, and gives its properties."""

    def once() -> Any:
        with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
            _, properties, _ = connection.channel().basic_get(QUEUE, auto_ack=True)
            return properties

    return once


@pytest.fixture
def cut(rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str) -> Callable[[], None]:
    """Ends every connection to this test's vhost."""
    return lambda: rabbitmq_server.close_all_connections(vhost=rabbitmq_vhost)


@pytest.fixture
def consuming(rabbitmq_url: str, database: Database) -> Consuming:
    @contextmanager
    def running(
        receive: Callable[[ReceivedEvent], object], outages: tuple[type[Exception], ...] = (Outage,)
    ) -> Iterator[Event]:
        stop = Event()
        consumer = EventConsumer(rabbitmq_url, receive, database, outages)
        thread = Thread(target=consumer.run, args=(stop,))
        thread.start()
        try:
            yield stop
            assert thread.is_alive() or stop.is_set(), "the consumer died"
        finally:
            stop.set()
            thread.join(300)
            assert not thread.is_alive(), "the consumer did not stop"

    return running
