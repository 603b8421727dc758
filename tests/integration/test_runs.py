"""Runs: one an organisation, kind and date, woken until they are done, whoever asks and however often."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from models.organisation import Connection
from models.outbox import OutboxMessage
from models.states import OPEN_RUN_STATES, ConnectionState, RunKind, RunState
from models.sync_run import (
    Night,
    SyncRun,
    ask_for_run,
    open_again,
    open_runs,
    run_ahead_of,
    wake_runs,
    zones_in_use,
)
from tests.factories import NOW, TODAY, make_connection, make_lease, make_organisation, make_sync_run
from tests.integration.conftest import AtOnce

MOMENT = timedelta(milliseconds=1)
ENDED = [state for state in RunState if state not in OPEN_RUN_STATES]
TONIGHT = Night("Europe/Paris", TODAY, NOW)

Woken = Callable[[], list[int]]


@pytest.fixture
def woken(database: str) -> Woken:
    """The runs that messages were written for, in order; a second look sees only new ones."""

    def read() -> list[int]:
        messages = list(OutboxMessage.select().order_by(OutboxMessage.id))
        OutboxMessage.delete().execute()
        assert {(message.lane, message.actor) for message in messages} <= {("nightly", "sync")}
        return [json.loads(message.arguments)["run_id"] for message in messages]

    return read


def _open(*nights: Night, state: RunState = RunState.DUE, kind: RunKind = RunKind.NIGHTLY) -> int:
    return open_runs(kind, "nightly", state, nights, NOW)


def test_every_live_connection_gets_its_night(database: str) -> None:
    connections = [make_connection(), make_connection()]

    assert _open(TONIGHT) == 2

    runs = list(SyncRun.select().order_by(SyncRun.id))
    assert {run.connection_id for run in runs} == {connection.id for connection in connections}
    for run in runs:
        assert run.organisation_id == Connection.get_by_id(run.connection_id).organisation_id
        assert (run.kind, run.local_date, run.lane, run.state) == ("nightly", TODAY, "nightly", "due")
        assert (run.wake_at, run.created_at, run.finished_at, run.imported) == (NOW, NOW, None, 0)


def test_a_night_is_opened_once(database: str) -> None:
    make_connection()

    assert [_open(TONIGHT), _open(TONIGHT), _open(TONIGHT, state=RunState.CAUGHT_UP)] == [1, 0, 0]
    assert SyncRun.get().state == RunState.DUE


def test_another_kind_and_another_date_are_other_runs(database: str) -> None:
    make_connection()
    tomorrow = Night("Europe/Paris", TODAY + timedelta(days=1), NOW + timedelta(days=1))

    assert _open(TONIGHT) + _open(TONIGHT, kind=RunKind.OBSERVATION) + _open(tomorrow) == 3


@pytest.mark.parametrize("state", [ConnectionState.NEEDS_RECONNECT, ConnectionState.DISCONNECTED])
def test_only_a_live_connection_is_synced(database: str, state: ConnectionState) -> None:
    make_connection(state=state)

    assert _open(TONIGHT) == 0


@pytest.mark.parametrize(("created_at", "opened"), [(NOW - MOMENT, 1), (NOW, 0), (NOW + MOMENT, 0)])
def test_a_connection_gets_no_night_from_before_it_was_made(database: str, created_at: datetime, opened: int) -> None:
    make_connection(created_at=created_at)

    assert _open(TONIGHT) == opened


def test_a_night_that_was_opened_for_a_former_connection_is_not_opened_again(database: str) -> None:
    former = make_connection()
    _open(TONIGHT)
    Connection.update(state=ConnectionState.DISCONNECTED).where(Connection.id == former.id).execute()
    make_connection(organisation_id=former.organisation_id)

    assert _open(TONIGHT) == 0


def test_each_time_zone_has_its_own_date_and_moment(database: str) -> None:
    for time_zone in ("Europe/Paris", "Pacific/Kiritimati", "America/New_York"):
        make_connection(organisation_id=make_organisation(time_zone=time_zone).id)
    kiritimati = Night("Pacific/Kiritimati", date(2026, 11, 21), NOW - timedelta(hours=1))

    assert _open(TONIGHT, kiritimati) == 2

    assert {(run.local_date, run.wake_at) for run in SyncRun.select()} == {
        (TODAY, NOW),
        (kiritimati.local_date, kiritimati.due_at),
    }


def test_no_night_opens_nothing(database: str) -> None:
    make_connection()

    assert _open() == 0


def test_schedulers_that_open_a_night_at_one_moment_open_it_once(database: str, at_once: AtOnce) -> None:
    for _ in range(20):
        make_connection()

    opened = at_once([lambda: _open(TONIGHT)] * 6)

    assert sum(opened) == SyncRun.select().count() == 20


def test_the_zones_in_use_are_those_of_live_connections(database: str) -> None:
    for time_zone, state in (
        ("Europe/Paris", ConnectionState.LIVE),
        ("Europe/Paris", ConnectionState.LIVE),
        ("Asia/Kathmandu", ConnectionState.NEEDS_RECONNECT),
        ("America/Nuuk", ConnectionState.LIVE),
    ):
        make_connection(organisation_id=make_organisation(time_zone=time_zone).id, state=state)
    make_organisation(time_zone="UTC")

    assert zones_in_use() == ["America/Nuuk", "Europe/Paris"]


@pytest.mark.parametrize("state", OPEN_RUN_STATES)
def test_an_open_run_whose_time_has_come_is_woken_once(woken: Woken, state: RunState) -> None:
    run = make_sync_run(state=state)

    assert wake_runs("sync", NOW - MOMENT) == 0
    assert wake_runs("sync", NOW) == 1
    assert wake_runs("sync", NOW + timedelta(hours=1)) == 0
    assert woken() == [run.id]


@pytest.mark.parametrize("state", ENDED)
def test_a_run_that_has_ended_is_not_woken(woken: Woken, state: RunState) -> None:
    make_sync_run(state=state)

    assert wake_runs("sync", NOW) == 0
    assert woken() == []


def test_a_run_that_somebody_works_on_is_not_woken_until_the_lease_ends(woken: Woken) -> None:
    run = make_sync_run()
    make_lease(organisation_id=run.organisation_id, expires_at=NOW + timedelta(seconds=30))

    assert wake_runs("sync", NOW + timedelta(seconds=30) - MOMENT) == 0
    assert wake_runs("sync", NOW + timedelta(seconds=30)) == 1
    assert woken() == [run.id]


def test_a_lease_that_was_released_or_is_somebody_elses_keeps_no_run_asleep(woken: Woken) -> None:
    run = make_sync_run()
    make_lease(organisation_id=run.organisation_id, owner="")
    make_lease()

    assert wake_runs("sync", NOW) == 1
    assert woken() == [run.id]


def test_each_run_is_woken_on_its_own_lane_and_only_this_waves_runs_are(database: str) -> None:
    nightly, manual, later = (
        make_sync_run(),
        make_sync_run(lane="interactive"),
        make_sync_run(wake_at=NOW + timedelta(minutes=1)),
    )

    wake_runs("sync", NOW)
    wake_runs("sync", NOW + timedelta(minutes=1))

    messages = [(m.lane, json.loads(m.arguments)["run_id"]) for m in OutboxMessage.select().order_by(OutboxMessage.id)]
    assert messages == [("nightly", nightly.id), ("interactive", manual.id), ("nightly", later.id)]


def test_schedulers_that_wake_at_one_moment_write_one_message_a_run(woken: Woken, at_once: AtOnce) -> None:
    runs = [make_sync_run().id for _ in range(20)]

    counts = at_once([lambda: wake_runs("sync", NOW)] * 6)

    assert sum(counts) == 20
    assert sorted(woken()) == runs


def test_a_run_that_is_asked_for_is_due_at_once(database: str) -> None:
    connection = make_connection()

    run = ask_for_run(connection, RunKind.MANUAL, "interactive", TODAY, NOW)

    assert (run.connection_id, run.kind, run.lane, run.state) == (connection.id, "manual", "interactive", "due")
    assert (run.local_date, run.wake_at) == (TODAY, NOW)


@pytest.mark.parametrize("state", OPEN_RUN_STATES)
def test_asking_for_an_open_run_changes_nothing(database: str, state: RunState) -> None:
    connection = make_connection()
    run = ask_for_run(connection, RunKind.MANUAL, "interactive", TODAY, NOW)
    later = NOW + timedelta(minutes=1)
    SyncRun.update(state=state, wake_at=later, failures=2, reason="a limit").execute()

    again = ask_for_run(connection, RunKind.MANUAL, "interactive", TODAY, NOW)

    assert (again.id, again.state, again.wake_at, again.failures, again.reason) == (run.id, state, later, 2, "a limit")


@pytest.mark.parametrize("state", ENDED)
def test_asking_for_a_run_that_has_ended_opens_the_same_run_again(database: str, state: RunState) -> None:
    former = make_connection()
    run = ask_for_run(former, RunKind.MANUAL, "interactive", TODAY, NOW)
    SyncRun.update(state=state, prepared_at=NOW, finished_at=NOW, failures=6, reason="given up").execute()
    Connection.update(state=ConnectionState.DISCONNECTED).execute()
    connection = make_connection(organisation_id=former.organisation_id)
    later = NOW + timedelta(minutes=1)

    again = ask_for_run(connection, RunKind.MANUAL, "interactive", TODAY, later)

    assert (again.id, again.state, again.wake_at, again.connection_id) == (run.id, "due", later, connection.id)
    assert (again.prepared_at, again.finished_at, again.failures, again.reason) == (None, None, 0, "")


def test_a_run_that_was_done_keeps_the_moment_at_which_it_was_done_first(database: str) -> None:
    connection, later = make_connection(), NOW + timedelta(hours=15)
    night = make_sync_run(connection=connection, state=RunState.DONE, finished_at=NOW)
    asked = ask_for_run(connection, RunKind.MANUAL, "interactive", TODAY, NOW)
    SyncRun.update(state=RunState.DONE, finished_at=NOW).execute()

    for _ in range(2):
        open_again(night.id, NOW, later)
        ask_for_run(connection, RunKind.MANUAL, "interactive", TODAY, later)
        SyncRun.update(state=RunState.DONE, finished_at=later).execute()

    assert {run.id: run.first_done_at for run in SyncRun.select()} == {night.id: NOW, asked.id: NOW}


def test_a_run_that_failed_was_not_done_by_that(database: str) -> None:
    run = make_sync_run(state=RunState.FAILED, finished_at=NOW)

    open_again(run.id, NOW, NOW)

    assert SyncRun.get().first_done_at is None


def test_two_people_who_ask_at_one_moment_get_the_same_run(database: str, at_once: AtOnce) -> None:
    connection = make_connection()

    runs = at_once([lambda: ask_for_run(connection, RunKind.MANUAL, "interactive", TODAY, NOW).id] * 4)

    assert len(set(runs)) == SyncRun.select().count() == 1


def test_a_date_whose_night_was_another_zones_has_its_night_again_once(database: str) -> None:
    """It was night in Auckland twelve hours ago; since then the organisation's clock is that of Paris."""
    connection = make_connection()
    earlier = NOW - timedelta(hours=12)
    run = make_sync_run(
        connection=connection, local_date=TODAY, state="done", created_at=earlier, finished_at=earlier, prepared_at=NOW
    )

    assert [_open(TONIGHT), _open(TONIGHT)] == [1, 0]

    again = SyncRun.get_by_id(run.id)
    assert (again.state, again.wake_at, again.created_at) == ("due", NOW, NOW)
    assert (again.finished_at, again.prepared_at, again.first_done_at) == (None, None, None)


def test_a_night_that_is_over_or_still_open_is_left_alone(database: str) -> None:
    over, still = make_connection(), make_connection()
    make_sync_run(connection=over, local_date=TODAY, state="done", created_at=NOW, finished_at=NOW)
    make_sync_run(connection=still, local_date=TODAY, state="running", created_at=NOW - timedelta(hours=12))

    assert _open(TONIGHT) == 0
    assert _open(TONIGHT, state=RunState.CAUGHT_UP) == 0


def test_what_goes_before_a_run_goes_in_its_order(database: str) -> None:
    """The end of a connection, an account, a doubt about our record; what waits for a later moment is passed over."""
    connection = make_connection()
    made = {
        kind: make_sync_run(connection=connection, kind=kind, lane="interactive", wake_at=NOW)
        for kind in (RunKind.MANUAL, RunKind.VERIFICATION, RunKind.ACCOUNTS, RunKind.DISCONNECTION)
    }
    in_order = []
    while ahead := run_ahead_of(made[RunKind.MANUAL], NOW):
        in_order.append(SyncRun.get_by_id(ahead).kind)
        SyncRun.update(wake_at=NOW + MOMENT).where(SyncRun.id == ahead).execute()

    assert in_order == [RunKind.DISCONNECTION, RunKind.ACCOUNTS, RunKind.VERIFICATION]
