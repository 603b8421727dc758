"""The relays: what is not safe with the broker is still in the outbox."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from messaging import NobodyToTell
from messaging.outbox_relay import BATCH, Published, event_relay, lane_relay
from messaging.publisher import BrokerUnreachable, Outgoing
from models.outbox import OutboxEvent, OutboxMessage, claim_unsent
from models.states import Lane
from tests.counted import counted
from tests.factories import NOW, make_outbox_event, make_outbox_message


class FakePublisher:
    """Confirms as it was told to, and keeps what it was given."""

    def __init__(self, *answers: bool) -> None:
        self.answers = answers
        self.given: list[Outgoing] = []

    def publish(self, batch: Sequence[Outgoing]) -> list[bool]:
        self.given += batch
        if not self.answers:
            raise BrokerUnreachable("no broker here")
        return list(self.answers)

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def messages(database: str) -> list[int]:
    """The ids of three messages that wait."""
    return [make_outbox_message(arguments=json.dumps({"run_id": number})).id for number in (1, 2, 3)]


@pytest.fixture
def events(database: str) -> list[int]:
    """The ids of three events that wait."""
    return [make_outbox_event(body=f'{{"id": "é{number}"}}').id for number in (1, 2, 3)]


def waiting() -> list[int]:
    return [message.id for message in claim_unsent(OutboxMessage, "somebody", NOW, 10)]


def untold() -> list[int]:
    return [event.id for event in claim_unsent(OutboxEvent, "somebody", NOW, 10)]


def test_what_the_broker_did_not_confirm_stays_in_the_outbox(messages: list[int]) -> None:
    publisher = FakePublisher(True, False, True)
    confirmed = counted("qonto_xero_messages_published_total", outbox="jobs", result="confirmed")
    unconfirmed = counted("qonto_xero_messages_published_total", outbox="jobs", result="unconfirmed")

    assert lane_relay(Lane.NIGHTLY, publisher, lambda: NOW).turn() == Published(confirmed=2, unconfirmed=1)

    assert len(publisher.given) == 3
    assert waiting() == [messages[1]]
    assert (confirmed(), unconfirmed()) == (2, 1)


def test_a_broker_that_answers_nothing_costs_no_message(messages: list[int]) -> None:
    with pytest.raises(BrokerUnreachable):
        lane_relay(Lane.NIGHTLY, FakePublisher(), lambda: NOW).turn()

    assert waiting() == messages


def test_an_event_that_is_published_again_is_the_same_to_the_byte(events: list[int]) -> None:
    publisher = FakePublisher(True, False, True)
    event_relay(publisher, lambda: NOW).turn()
    publisher.answers = (True,)

    event_relay(publisher, lambda: NOW).turn()

    assert publisher.given[3:] == [publisher.given[1]] == [("sync.completed", '{"id": "é2"}'.encode())]
    assert untold() == []


def test_the_broker_of_events_may_be_away_while_jobs_go_on(messages: list[int], events: list[int]) -> None:
    unconfirmed = counted("qonto_xero_messages_published_total", outbox="events", result="unconfirmed")
    with pytest.raises(BrokerUnreachable):
        event_relay(FakePublisher(), lambda: NOW).turn()
    assert unconfirmed() == 3

    assert lane_relay(Lane.NIGHTLY, FakePublisher(True, True, True), lambda: NOW).turn() == Published(
        confirmed=3, unconfirmed=0
    )
    assert untold() == events


def test_the_broker_of_jobs_may_be_away_while_events_go_on(messages: list[int], events: list[int]) -> None:
    with pytest.raises(BrokerUnreachable):
        lane_relay(Lane.NIGHTLY, FakePublisher(), lambda: NOW).turn()

    assert event_relay(FakePublisher(True, True, True), lambda: NOW).turn() == Published(confirmed=3, unconfirmed=0)
    assert waiting() == messages


def test_without_a_broker_there_is_nobody_to_tell_and_nothing_waits_for_ever(events: list[int]) -> None:
    assert event_relay(NobodyToTell(), lambda: NOW).turn() == Published(confirmed=3, unconfirmed=0)

    assert untold() == []


def test_a_full_lane_holds_back_none_of_the_other_lanes_messages(database: str) -> None:
    for _ in range(BATCH + 1):
        make_outbox_message(lane=Lane.NIGHTLY)
    behind = make_outbox_message(lane=Lane.INTERACTIVE)

    class FullNightly(FakePublisher):
        def publish(self, batch: Sequence[Outgoing]) -> list[bool]:
            return [lane != Lane.NIGHTLY for lane, _ in batch]

    turns = [lane_relay(lane, FullNightly(), lambda: NOW).turn() for lane in (Lane.NIGHTLY, Lane.INTERACTIVE)]

    assert turns == [Published(confirmed=0, unconfirmed=BATCH), Published(confirmed=1, unconfirmed=0)]
    assert OutboxMessage.get_by_id(behind.id).sent_at == NOW
