"""The outbox: every row is published by one relay, and none is forgotten."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from models.database import transaction
from models.outbox import CLAIM, OutboxEvent, OutboxMessage, announce, claim_unsent, mark_sent, release
from models.states import Lane
from tests.factories import NOW, make_outbox_event, make_outbox_message
from tests.integration.conftest import AtOnce

MOMENT = timedelta(milliseconds=1)
MADE_BY: dict[Any, Any] = {OutboxMessage: make_outbox_message, OutboxEvent: make_outbox_event}


@pytest.fixture(params=MADE_BY, ids=lambda table: table.__name__)
def outbox(request: pytest.FixtureRequest) -> Any:
    """Messages to our workers, and once more events to Qonto's core: what holds of one holds of the other."""
    return request.param


@pytest.fixture
def rows(database: str, outbox: Any) -> list[int]:
    """The ids of five unsent rows, oldest first."""
    return [MADE_BY[outbox]().id for _ in range(5)]


def _ids(rows: list[Any]) -> list[int]:
    return [row.id for row in rows]


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


def test_a_relay_claims_the_oldest_first_and_no_more_than_it_asked_for(outbox: Any, rows: list[int]) -> None:
    assert _ids(claim_unsent(outbox, "relay-1", NOW, 2)) == rows[:2]


def test_what_one_relay_has_claimed_no_other_gets(outbox: Any, rows: list[int]) -> None:
    claim_unsent(outbox, "relay-1", NOW, 2)

    assert _ids(claim_unsent(outbox, "relay-2", NOW, 10)) == rows[2:]
    assert claim_unsent(outbox, "relay-3", NOW + CLAIM, 10) == []


def test_a_claim_that_ran_out_is_free_again(outbox: Any, rows: list[int]) -> None:
    claim_unsent(outbox, "relay-1", NOW, 10)

    assert _ids(claim_unsent(outbox, "relay-2", NOW + CLAIM + MOMENT, 10)) == rows


def test_what_could_not_be_published_is_given_back_at_once(outbox: Any, rows: list[int]) -> None:
    claim_unsent(outbox, "relay-1", NOW, 2)
    claim_unsent(outbox, "relay-2", NOW, 2)
    mark_sent(outbox, rows[:1], NOW)

    release(outbox, "relay-1", rows)

    assert _ids(claim_unsent(outbox, "relay-3", NOW, 10)) == [rows[1], rows[4]]


def test_what_was_sent_is_never_claimed_again(outbox: Any, rows: list[int]) -> None:
    claim_unsent(outbox, "relay-1", NOW, 10)
    mark_sent(outbox, rows[:4], NOW)

    assert _ids(claim_unsent(outbox, "relay-1", NOW + 2 * CLAIM, 10)) == rows[4:]
    assert outbox.get_by_id(rows[0]).sent_at == NOW


def test_an_empty_outbox_gives_nothing_and_takes_nothing(database: str, outbox: Any) -> None:
    assert claim_unsent(outbox, "relay-1", NOW, 10) == []
    mark_sent(outbox, [], NOW)


def test_relays_that_claim_at_one_moment_share_out_the_rows(database: str, outbox: Any, at_once: AtOnce) -> None:
    everything = {MADE_BY[outbox]().id for _ in range(100)}

    claims = at_once([partial(claim_unsent, outbox, f"relay-{n}", NOW, 25) for n in range(4)])

    claimed = [row.id for claim in claims for row in claim]
    assert len(claimed) == len(set(claimed))
    rest = _ids(claim_unsent(outbox, "relay-last", NOW, 200))
    assert set(claimed) | set(rest) == everything
    assert not set(claimed) & set(rest)


def test_each_kind_of_row_is_claimed_for_itself(database: str) -> None:
    message, event = make_outbox_message(), make_outbox_event()

    assert _ids(claim_unsent(OutboxEvent, "relay-1", NOW, 10)) == [event.id]
    assert _ids(claim_unsent(OutboxMessage, "relay-1", NOW, 10)) == [message.id]


def test_a_claim_of_one_lane_leaves_the_messages_of_the_others(database: str) -> None:
    nightly = [make_outbox_message(lane=Lane.NIGHTLY).id for _ in range(3)]
    interactive = make_outbox_message(lane=Lane.INTERACTIVE)

    assert _ids(claim_unsent(OutboxMessage, "relay-1", NOW, 2, Lane.INTERACTIVE)) == [interactive.id]
    assert _ids(claim_unsent(OutboxMessage, "relay-2", NOW, 2, Lane.NIGHTLY)) == nightly[:2]


def test_what_a_relay_gives_back_is_not_what_another_has_claimed(outbox: Any, rows: list[int]) -> None:
    claim_unsent(outbox, "relay-1", NOW, 2)
    claim_unsent(outbox, "relay-2", NOW + CLAIM + MOMENT, 2)

    release(outbox, "relay-1", rows[:2])

    assert _ids(claim_unsent(outbox, "relay-3", NOW + CLAIM + MOMENT, 10)) == rows[2:]
