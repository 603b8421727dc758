"""The relay: what is not safe with the broker is still in the outbox."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from messaging.outbox_relay import Relay
from messaging.publisher import BrokerUnreachable, Outgoing
from models.outbox import OutboxMessage, claim_unsent
from tests.factories import NOW


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


@pytest.fixture
def messages(database: str) -> list[int]:
    """The ids of three messages that wait."""
    return [
        OutboxMessage.create(
            lane="nightly", actor="organisation.sync", arguments=json.dumps({"run_id": number}), created_at=NOW
        ).id
        for number in (1, 2, 3)
    ]


def waiting() -> list[int]:
    return [message.id for message in claim_unsent("somebody", NOW, 10)]


def test_what_the_broker_did_not_confirm_stays_in_the_outbox(messages: list[int]) -> None:
    publisher = FakePublisher(True, False, True)

    assert Relay(publisher, lambda: NOW).turn() == 2

    assert len(publisher.given) == 3
    assert waiting() == [messages[1]]


def test_a_broker_that_answers_nothing_costs_no_message(messages: list[int]) -> None:
    with pytest.raises(BrokerUnreachable):
        Relay(FakePublisher(), lambda: NOW).turn()

    assert waiting() == messages
