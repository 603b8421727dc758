"""The outbox: every message is published by one relay, and none is forgotten."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from models.database import transaction
from models.outbox import CLAIM, OutboxMessage, announce, claim_unsent, mark_sent, release_unsent
from tests.factories import NOW, make_outbox_message
from tests.integration.conftest import AtOnce

MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def messages(database: str) -> list[int]:
    """The ids of five unsent messages, oldest first."""
    return [make_outbox_message().id for _ in range(5)]


def _ids(messages: list[OutboxMessage]) -> list[int]:
    return [message.id for message in messages]


def test_a_message_is_announced_with_the_effect_that_it_announces(database: str) -> None:
    with transaction():
        announce("nightly", "organisation.sync", NOW, run_id=7)
    with suppress(RuntimeError), transaction():
        announce("nightly", "organisation.sync", NOW, run_id=8)
        raise RuntimeError

    (message,) = OutboxMessage.select()
    assert (message.lane, message.actor, json.loads(message.arguments)) == (
        "nightly",
        "organisation.sync",
        {"run_id": 7},
    )


def test_a_relay_claims_the_oldest_first_and_no_more_than_it_asked_for(messages: list[int]) -> None:
    assert _ids(claim_unsent("relay-1", NOW, 2)) == messages[:2]


def test_what_one_relay_has_claimed_no_other_gets(messages: list[int]) -> None:
    claim_unsent("relay-1", NOW, 2)

    assert _ids(claim_unsent("relay-2", NOW, 10)) == messages[2:]
    assert claim_unsent("relay-3", NOW + CLAIM, 10) == []


def test_a_claim_that_ran_out_is_free_again(messages: list[int]) -> None:
    claim_unsent("relay-1", NOW, 10)

    assert _ids(claim_unsent("relay-2", NOW + CLAIM + MOMENT, 10)) == messages


def test_what_could_not_be_published_is_given_back_at_once(messages: list[int]) -> None:
    claim_unsent("relay-1", NOW, 2)
    claim_unsent("relay-2", NOW, 2)
    mark_sent(messages[:1], NOW)

    release_unsent("relay-1")

    assert _ids(claim_unsent("relay-3", NOW, 10)) == [messages[1], messages[4]]


def test_what_was_sent_is_never_claimed_again(messages: list[int]) -> None:
    claim_unsent("relay-1", NOW, 10)
    mark_sent(messages[:4], NOW)

    assert _ids(claim_unsent("relay-1", NOW + 2 * CLAIM, 10)) == messages[4:]
    assert OutboxMessage.get_by_id(messages[0]).sent_at == NOW


def test_an_empty_outbox_gives_nothing_and_takes_nothing(database: str) -> None:
    assert claim_unsent("relay-1", NOW, 10) == []
    mark_sent([], NOW)


def test_relays_that_claim_at_one_moment_share_out_the_messages(database: str, at_once: AtOnce) -> None:
    everything = {make_outbox_message().id for _ in range(100)}

    claims = at_once([partial(claim_unsent, f"relay-{n}", NOW, 25) for n in range(4)])

    claimed = [message.id for claim in claims for message in claim]
    assert len(claimed) == len(set(claimed))
    rest = _ids(claim_unsent("relay-last", NOW, 200))
    assert set(claimed) | set(rest) == everything
    assert not set(claimed) & set(rest)
