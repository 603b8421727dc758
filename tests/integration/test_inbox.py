"""The inbox and the quarantine: each event once, each told to a worker until it is handled, each secret in its row."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from domain.reasons import Followed
from models.encryption import CannotDecrypt, Keyring
from models.inbox import (
    InboxEvent,
    announce_silent_events,
    choose_events,
    event_of,
    open_again,
    settle_event,
    store_event,
    unhandled_events,
)
from models.outbox import OutboxMessage
from models.quarantine import Quarantine, digest_of, quarantine, settle
from models.states import OPEN_RUN_STATES, RunKind, RunState
from models.sync_run import SILENCE
from tests.factories import NOW, make_connection, make_inbox_event, make_quarantine, make_sync_run
from tests.integration.conftest import AtOnce

MOMENT = timedelta(milliseconds=1)
LATER = NOW + SILENCE
TOLD: dict[str, Any] = {
    "source": "/qonto/core/bank-accounts",
    "event_id": "event-1",
    "type": "account.created",
    "organisation_id": "organisation-1",
    "bank_account_id": "account-1",
    "version": NOW - timedelta(seconds=2),
    "happened_at": NOW - timedelta(seconds=1),
    "digest": "0" * 64,
}
OLD, NEW = bytes(32), bytes(range(32))

Announced = Callable[[], list[tuple[str, int]]]


@pytest.fixture
def announced(database: str) -> Announced:
    """The events that workers were told of, with the actors, in order; a second look sees only new ones."""

    def read() -> list[tuple[str, int]]:
        messages = list(OutboxMessage.select().order_by(OutboxMessage.id))
        OutboxMessage.delete().execute()
        assert {message.lane for message in messages} <= {"interactive"}
        return [(message.actor, json.loads(message.arguments)["event_id"]) for message in messages]

    return read


def _numbers(events: list[InboxEvent]) -> list[int]:
    return [event.id for event in events]


# Each event once.


def test_an_event_is_stored_as_it_was_told(database: str) -> None:
    number = store_event(NOW, **TOLD)

    (event,) = InboxEvent.select()
    assert {name: getattr(event, name) for name in TOLD} == TOLD
    assert (event.id, event.received_at, event.announced_at, event.handled_at) == (number, NOW, NOW, None)


def test_an_event_that_is_delivered_again_is_stored_once_and_stays_as_it_was(database: str) -> None:
    store_event(NOW, **TOLD)

    assert store_event(NOW + MOMENT, **TOLD | {"digest": "1" * 64}) is None

    assert event_of(TOLD["source"], TOLD["event_id"]).digest == TOLD["digest"]
    assert InboxEvent.select().count() == 1


def test_an_event_that_is_delivered_eight_times_at_one_moment_is_stored_once(database: str, at_once: AtOnce) -> None:
    numbers = at_once([partial(store_event, NOW, **TOLD)] * 8)

    assert [number for number in numbers if number] == _numbers(list(InboxEvent.select()))
    assert numbers.count(None) == 7


def test_the_same_id_from_another_source_is_another_event(database: str) -> None:
    store_event(NOW, **TOLD)

    assert store_event(NOW, **TOLD | {"source": "/qonto/another"}) is not None


def test_an_event_that_never_came_is_not_found(database: str) -> None:
    make_inbox_event(event_id="event-1")

    with pytest.raises(LookupError, match="event-2"):
        event_of(TOLD["source"], "event-2")


# What came of it.


def test_what_came_of_an_event_is_written_once(database: str) -> None:
    event, other = make_inbox_event(), make_inbox_event()

    settle_event(event.id, Followed.IN_XERO, NOW)
    settle_event(event.id, Followed.GIVEN_UP, NOW + MOMENT)

    settled = InboxEvent.get_by_id(event.id)
    assert (settled.outcome, settled.handled_at) == (Followed.IN_XERO, NOW)
    assert InboxEvent.get_by_id(other.id).handled_at is None


def test_a_run_follows_its_own_organisations_events_until_they_are_handled(database: str) -> None:
    first, second = (make_inbox_event(organisation_id="ours").id for _ in range(2))
    make_inbox_event(organisation_id="ours", handled_at=NOW)
    make_inbox_event(organisation_id="theirs")

    assert _numbers(unhandled_events("ours")) == [first, second]


def test_an_event_that_is_opened_again_is_as_if_it_had_just_come(announced: Announced) -> None:
    closed, opened, other = (
        make_inbox_event(type=type_, handled_at=NOW, outcome=Followed.IN_XERO)
        for type_ in ("account.deactivated", "account.created", "account.created")
    )

    open_again([opened.id, closed.id], LATER)

    assert announced() == [("account.deactivated", closed.id), ("account.created", opened.id)]
    for event in choose_events(ids=[opened.id, closed.id]):
        assert (event.handled_at, event.outcome, event.announced_at, event.received_at) == (None, "", LATER, NOW)
    assert InboxEvent.get_by_id(other.id).handled_at == NOW


# Workers are told until it is handled.


def test_an_event_that_no_worker_took_up_is_announced_again_after_silence(announced: Announced) -> None:
    event = make_inbox_event(type="account.deactivated")

    assert announce_silent_events(9, LATER - MOMENT) == 0
    assert announce_silent_events(9, LATER) == 1
    assert announce_silent_events(9, LATER + SILENCE - MOMENT) == 0
    assert announced() == [("account.deactivated", event.id)]

    assert announce_silent_events(9, LATER + SILENCE) == 1
    assert announced() == [("account.deactivated", event.id)]


def test_a_handled_event_is_not_announced_again(announced: Announced) -> None:
    make_inbox_event(handled_at=NOW)

    assert announce_silent_events(9, LATER) == 0
    assert announced() == []


@pytest.mark.parametrize("state", OPEN_RUN_STATES)
def test_an_event_that_an_open_run_will_follow_is_not_announced_again(announced: Announced, state: RunState) -> None:
    run = make_sync_run(kind=RunKind.ACCOUNTS, state=state)
    make_inbox_event(organisation_id=run.organisation_id)

    assert announce_silent_events(9, LATER) == 0
    assert announced() == []


@pytest.mark.parametrize(
    ("kind", "state"),
    [(RunKind.NIGHTLY, RunState.RUNNING), (RunKind.ACCOUNTS, RunState.DONE), (RunKind.ACCOUNTS, RunState.FAILED)],
)
def test_a_run_that_will_not_follow_it_keeps_no_event_silent(
    announced: Announced, kind: RunKind, state: RunState
) -> None:
    connection = make_connection()
    make_sync_run(connection=connection, kind=kind, state=state)
    make_sync_run(kind=RunKind.ACCOUNTS)  # somebody else's
    event = make_inbox_event(organisation_id=connection.organisation_id)

    assert announce_silent_events(9, LATER) == 1
    assert announced() == [("account.created", event.id)]


def test_schedulers_that_announce_at_one_moment_announce_once(announced: Announced, at_once: AtOnce) -> None:
    events = [("account.created", make_inbox_event().id) for _ in range(50)]

    assert sum(at_once([partial(announce_silent_events, 50, LATER)] * 6)) == 50
    assert sorted(announced()) == events


@pytest.mark.parametrize("most", [2, 9])
def test_however_many_are_silent_the_oldest_are_announced_first_and_not_all_at_once(
    announced: Announced, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    first, second, third = (("account.created", make_inbox_event().id) for _ in range(3))
    monkeypatch.setattr("models.inbox.MOST_WOKEN", 11 - most)

    assert announce_silent_events(most, LATER) == 2
    assert sorted(announced()) == [first, second]
    assert announce_silent_events(most, LATER) == 1
    assert announced() == [third]


# A person chooses.


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        ({}, [3, 2, 1, 0]),
        ({"type_": "account.deactivated"}, [3]),
        ({"organisation_id": "ours"}, [3, 1, 0]),
        ({"since": NOW}, [3, 2, 1]),
        ({"until": NOW}, [0]),
        ({"since": NOW, "until": NOW + MOMENT}, [2, 1]),
        ({"only_unhandled": True}, [3, 2, 0]),
        ({"limit": 2}, [3, 2]),
        ({"organisation_id": "ours", "only_unhandled": True, "since": NOW}, [3]),
    ],
    ids=str,
)
def test_a_person_sees_the_events_that_all_filters_choose_newest_first(
    database: str, filters: dict[str, Any], chosen: list[int]
) -> None:
    events = [
        make_inbox_event(organisation_id="ours", received_at=NOW - MOMENT).id,
        make_inbox_event(organisation_id="ours", handled_at=NOW).id,
        make_inbox_event(organisation_id="theirs").id,
        make_inbox_event(organisation_id="ours", received_at=NOW + MOMENT, type="account.deactivated").id,
    ]

    assert _numbers(choose_events(**filters)) == [events[place] for place in chosen]


def test_a_person_sees_the_events_whose_numbers_they_name(database: str) -> None:
    first, _, third = (make_inbox_event().id for _ in range(3))

    assert _numbers(choose_events(ids=[first, third, third + 1])) == [third, first]


# What is no event.


def test_the_same_bytes_from_the_same_source_are_kept_once_with_their_first_reason(database: str) -> None:
    for source, reason in [("lane nightly", "first"), ("lane nightly", "second"), ("lane backfill", "another source")]:
        quarantine(source, b"\xff\x00", reason, NOW)

    rows = [(row.source, bytes(row.payload), row.reason) for row in Quarantine.select().order_by(Quarantine.id)]
    assert rows == [("lane nightly", b"\xff\x00", "first"), ("lane backfill", b"\xff\x00", "another source")]


def test_what_a_person_has_dealt_with_stays_dealt_with_when_it_comes_again(database: str) -> None:
    quarantine("lane nightly", b"\xff", "not a message", NOW)
    row = Quarantine.get()

    assert settle(row, NOW)
    assert not settle(row, LATER)
    quarantine("lane nightly", b"\xff", "not a message", LATER)

    assert [one.settled_at for one in Quarantine.select()] == [NOW]


@pytest.fixture
def sealed(database: str) -> Quarantine:
    """A row whose bytes are encrypted, as the database gives it back."""
    digest = digest_of("qonto.events", b"FR7630001007941234567890185")
    payload = Keyring({"new": NEW}).seal(b"FR7630001007941234567890185", digest)
    return Quarantine.get_by_id(make_quarantine(payload=payload, digest=digest, is_sealed=True).id)


def test_sealed_bytes_open_in_their_own_row_alone(sealed: Quarantine) -> None:
    keyring = Keyring({"newest": OLD, "new": NEW})

    assert keyring.unseal(bytes(sealed.payload), sealed.digest) == b"FR7630001007941234567890185"
    assert b"FR76" not in bytes(sealed.payload)
    with pytest.raises(CannotDecrypt, match="the digest of another row"):
        keyring.unseal(bytes(sealed.payload), "the digest of another row")


@pytest.mark.parametrize("keys", [{"old": OLD}, {"new": OLD}], ids=["gone", "another"])
def test_sealed_bytes_whose_key_is_gone_or_another_stay_sealed(sealed: Quarantine, keys: dict[str, bytes]) -> None:
    with pytest.raises(CannotDecrypt, match=sealed.digest):
        Keyring(keys).unseal(bytes(sealed.payload), sealed.digest)


def test_sealed_bytes_that_were_cut_off_or_changed_anywhere_stay_sealed(sealed: Quarantine) -> None:
    kept = bytes(sealed.payload)
    cut_off = [kept[:place] for place in range(len(kept))]
    changed = [kept[:place] + bytes([kept[place] ^ 0x80]) + kept[place + 1 :] for place in range(len(kept))]

    for damaged in (*cut_off, *changed, kept.replace(b":", b"") * 20):
        with pytest.raises(CannotDecrypt, match=sealed.digest) as told:
            Keyring({"new": NEW}).unseal(damaged, sealed.digest)
        assert len(str(told.value)) < len(sealed.digest) + 500, "what was damaged is not told"
