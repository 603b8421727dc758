"""The night at a glance, counted from the tables: whose night, how far, what waits and why, at what pace."""

from __future__ import annotations

from datetime import timedelta
from math import isnan
from typing import Any

import pytest

import metrics
from domain.reasons import Broken, Held, Unfinished, Waits
from models.organisation import Connection
from models.posting import Posting
from models.states import ConnectionState, Lane, PostingState, RunKind, RunState
from models.sync_run import SILENCE, SyncRun
from scheduler.fleet_metrics import show
from services.view_night import Problem, view_night
from tests.factories import (
    NOW,
    TODAY,
    make_call_budget,
    make_connection,
    make_inbox_event,
    make_invariant_check,
    make_lease,
    make_organisation,
    make_outbox_event,
    make_outbox_message,
    make_pause,
    make_posting,
    make_quarantine,
    make_sync_run,
)

MINUTE = timedelta(minutes=1)
LATER = NOW + 20 * MINUTE


def _night(state: RunState, *, connection: Connection | None = None, **columns: Any) -> SyncRun:
    what: dict[str, Any] = {"kind": RunKind.NIGHTLY, "local_date": TODAY, "state": state}
    return make_sync_run(connection=connection, **what | columns)


def _zoned(time_zone: str) -> Connection:
    return make_connection(organisation_id=make_organisation(time_zone=time_zone).id)


def test_without_a_connection_there_is_no_night(database: str) -> None:
    view = view_night(NOW)

    assert view.tonight is None
    assert set(view.postings.values()) == {0}


def test_tonight_is_counted_by_state_and_nothing_else_is_tonight(database: str) -> None:
    _night(RunState.DONE, finished_at=NOW + MINUTE, posted=7)
    _night(RunState.DONE, finished_at=NOW + 2 * MINUTE, posted=3)
    late = make_connection()
    _night(RunState.RUNNING, connection=late)
    _night(RunState.FAILED, connection=late, code=Unfinished.NOT_IN_TIME, local_date=TODAY - timedelta(days=1))
    _night(RunState.DONE, connection=late, kind=RunKind.MANUAL)
    _night(RunState.CAUGHT_UP)

    tonight = view_night(LATER).tonight

    assert tonight is not None
    assert tonight.states == {"due": 0, "running": 1, "waiting": 0, "done": 2, "failed": 0}
    assert (tonight.total, tonight.posted, tonight.local_dates) == (3, 10, [TODAY])
    assert tonight.done_ratio == pytest.approx(2 / 3)
    assert (tonight.due_at, tonight.deadline) == (NOW, NOW + 30 * MINUTE)


def test_each_time_zone_has_its_own_night(database: str) -> None:
    _night(RunState.DONE, connection=_zoned("Europe/Paris"), finished_at=NOW)
    lisbon = _zoned("Europe/Lisbon")  # where 23:00 comes an hour later
    _night(RunState.DONE, connection=lisbon, local_date=TODAY - timedelta(days=1), finished_at=NOW - 20 * 60 * MINUTE)

    tonight = view_night(LATER).tonight

    assert tonight is not None
    assert tonight.local_dates == [TODAY - timedelta(days=1), TODAY]
    assert tonight.states["done"] == 2
    assert tonight.deadline == NOW + 30 * MINUTE


def test_a_broken_connection_is_no_debt_of_the_night(database: str) -> None:
    _night(RunState.DONE, finished_at=NOW)
    _night(RunState.FAILED, code=Broken.XERO)

    assert (tonight := view_night(LATER).tonight) is not None
    assert tonight.done_ratio == 1.0
    assert tonight.projected_end is None


@pytest.mark.parametrize(("done", "broken", "ratio", "standing"), [(98, 2, 1.0, "done"), (97, 3, 0.97, "over")])
def test_more_than_two_in_a_hundred_that_broke_are_a_debt(
    database: str, done: int, broken: int, ratio: float, standing: str
) -> None:
    for _ in range(done):
        _night(RunState.DONE, finished_at=NOW)
    for _ in range(broken):
        _night(RunState.FAILED, code=Broken.XERO)

    assert (tonight := view_night(LATER).tonight) is not None
    assert (tonight.done_ratio, tonight.standing(LATER)) == (ratio, standing)


def test_a_night_in_which_every_connection_broke_is_not_done(database: str) -> None:
    for zone in ("Europe/Paris", "Europe/Madrid"):
        _night(RunState.FAILED, connection=_zoned(zone), code=Broken.XERO)
    Connection.update(state=ConnectionState.NEEDS_RECONNECT).execute()

    assert (tonight := view_night(LATER).tonight) is not None
    assert (tonight.total, tonight.done_ratio, tonight.standing(LATER)) == (2, 0.0, "over")


def test_a_country_in_which_nobody_has_a_night_has_no_deadline(database: str) -> None:
    _night(RunState.DONE, connection=_zoned("Europe/Paris"), finished_at=NOW)
    gone = _zoned("America/New_York")
    Connection.update(state=ConnectionState.NEEDS_RECONNECT).where(Connection.id == gone.id).execute()

    assert (tonight := view_night(LATER).tonight) is not None
    assert [window.time_zone for window in tonight.windows] == ["Europe/Paris"]


def test_at_this_pace_it_ends_then(database: str) -> None:
    for minute in (16, 17, 18, 19):
        _night(RunState.DONE, finished_at=NOW + minute * MINUTE)
    _night(RunState.RUNNING)
    _night(RunState.DUE)

    assert (tonight := view_night(LATER).tonight) is not None
    assert tonight.projected_end == LATER + 2 * (5 * MINUTE / 4)


def test_nothing_moves_so_nobody_knows_when_it_ends(database: str) -> None:
    _night(RunState.DONE, finished_at=NOW + MINUTE)
    _night(RunState.WAITING, code=Waits.OUTAGE)

    assert (tonight := view_night(LATER).tonight) is not None
    assert tonight.projected_end is None


def test_why_nights_and_transactions_are_not_done(database: str) -> None:
    _night(RunState.WAITING, code=Waits.LIMIT)
    _night(RunState.WAITING, code=Waits.LIMIT)
    _night(RunState.FAILED, code=Broken.QONTO)
    make_posting(state=PostingState.HELD, reason=Held.LOCK_DATE)
    make_posting(state=PostingState.UNCERTAIN, changed_at=NOW + 3 * MINUTE)
    make_posting(state=PostingState.UNCERTAIN, changed_at=NOW + 5 * MINUTE)
    make_posting(state=PostingState.POSTED)

    view = view_night(LATER)

    assert [(one.what, one.state, one.code, one.count) for one in view.problems] == [
        ("nights", "failed", "qonto_access_ended", 1),
        ("nights", "waiting", "rate_limited", 2),
        ("transactions", "held", "lock_date", 1),
    ]
    assert all(one.sentence != one.code for one in view.problems if isinstance(one, Problem))
    assert view.postings == {"due": 0, "sending": 0, "uncertain": 2, "held": 1, "rejected": 0}
    assert view.age(view.uncertain) == 17 * 60


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.FAILED])
def test_what_is_due_is_counted_where_a_run_is_not_done(database: str, state: RunState) -> None:
    run = _night(state)
    make_posting(state=PostingState.DUE, connection_id=run.connection_id)
    make_posting(state=PostingState.SENDING, connection_id=run.connection_id)

    assert view_night(LATER).postings == {"due": 1, "sending": 1, "uncertain": 0, "held": 0, "rejected": 0}


def test_what_is_due_over_a_broken_connection_is_counted(database: str) -> None:
    broken = make_connection(state=ConnectionState.NEEDS_RECONNECT)
    make_posting(state=PostingState.DUE, connection_id=broken.id)

    view = view_night(LATER)

    assert view.postings["due"] == 1
    assert view.connections["needs_reconnect"] == 1


def test_what_was_read_for_a_person_and_not_sent_is_counted(database: str) -> None:
    failed, verifying, former = make_connection(), make_connection(verify_since=NOW), make_connection()
    for connection, wake_at in ((failed, LATER - timedelta(hours=47)), (former, LATER - timedelta(hours=49))):
        make_sync_run(connection=connection, kind=RunKind.MANUAL, state=RunState.FAILED, wake_at=wake_at)
    for connection in (failed, verifying, former):
        make_posting(state=PostingState.DUE, connection=connection)

    assert view_night(LATER).postings["due"] == 2


def test_whoever_left_has_no_problem_any_more(database: str) -> None:
    left = make_connection(state=ConnectionState.DISCONNECTED, verify_since=NOW)
    _night(RunState.FAILED, connection=left, code=Broken.NOT_LIVE)
    for state in PostingState:
        make_posting(state=state, reason=Held.LOCK_DATE if state == PostingState.HELD else "", connection=left)
    stays = make_connection(state=ConnectionState.NEEDS_RECONNECT)
    make_posting(state=PostingState.HELD, reason=Held.LOCK_DATE, connection=stays)

    view = view_night(LATER)

    assert view.postings == {"due": 0, "sending": 0, "uncertain": 0, "held": 1, "rejected": 0}
    assert (view.uncertain.count, view.age(view.uncertain)) == (0, 0.0)


def test_runs_that_no_worker_has_wait_in_their_lane(database: str) -> None:
    _night(RunState.DUE, wake_at=NOW + MINUTE, lane=Lane.NIGHTLY)  # its time has come
    _night(RunState.DUE, wave="w", wake_at=NOW + 2 * MINUTE + SILENCE, lane=Lane.INTERACTIVE)  # a message told of it
    _night(RunState.WAITING, wake_at=LATER + MINUTE, lane=Lane.NIGHTLY)  # its time is to come
    _night(RunState.DONE, wake_at=NOW, lane=Lane.NIGHTLY, finished_at=NOW)
    worked_on = _night(RunState.RUNNING, wake_at=NOW, lane=Lane.NIGHTLY)
    make_lease(organisation_id=worked_on.organisation_id, owner="w1", expires_at=LATER + MINUTE)
    make_lease(owner="", expires_at=LATER + MINUTE)

    view = view_night(LATER)

    assert {lane: (one.count, view.age(one)) for lane, one in view.lanes.items()} == {
        "interactive": (1, 18 * 60),
        "nightly": (1, 19 * 60),
        "backfill": (0, 0),
    }
    assert view.working == 1


def test_what_was_written_and_not_yet_told(database: str) -> None:
    make_outbox_message(created_at=NOW)
    make_outbox_message(created_at=NOW, sent_at=NOW)
    make_outbox_event(created_at=NOW + MINUTE)
    make_quarantine(created_at=NOW)
    make_quarantine(created_at=NOW - MINUTE, settled_at=NOW)
    make_inbox_event(received_at=NOW, handled_at=None)
    make_inbox_event(received_at=NOW, handled_at=NOW)

    view = view_night(LATER)

    assert {name: (one.count, view.age(one)) for name, one in view.outboxes.items()} == {
        "jobs": (1, 20 * 60),
        "events": (1, 19 * 60),
    }
    assert (view.quarantine.count, view.events.count) == (1, 1)


def test_calls_that_are_left_and_who_asked_us_to_wait(database: str) -> None:
    slot = int(LATER.timestamp() * 1000) // 250
    make_call_budget(scope="app", slots=f"[[{slot - 4}, 900], [{slot - 4 * 61}, 5000]]", failures=10)
    make_call_budget(scope="a", day_left=40, day_heard_at=NOW)
    make_call_budget(scope="b", day_left=4_000, day_heard_at=NOW)
    make_call_budget(scope="c", day_left=1, day_heard_at=NOW - timedelta(days=2))
    make_pause(not_before=LATER + MINUTE)
    make_pause(not_before=NOW)

    view = view_night(LATER)

    assert (view.app_calls_left, view.day_calls_left, view.tenants_paused) == (9_100, 40, 1)
    assert view.is_circuit_open


def test_an_invariant_is_violated_as_often_as_all_its_checks_say(database: str) -> None:
    make_invariant_check(name="I1", scope="fleet")
    make_invariant_check(name="I1", scope="organisation-1", violations=2, checked_at=LATER)
    make_invariant_check(name="I7", scope="fleet")

    assert [(one.name, one.violations, one.checked_at) for one in view_night(LATER).invariants] == [
        ("I1", 2, LATER),
        ("I7", 0, NOW),
    ]


def test_prometheus_is_told_the_same(database: str) -> None:
    _night(RunState.DONE, finished_at=NOW, posted=5)
    _night(RunState.DUE)
    Posting.update(state=PostingState.POSTED).execute()
    make_posting(state=PostingState.HELD, reason=Held.LOCK_DATE)
    make_invariant_check(name="I22", violations=3)
    view = view_night(LATER)

    show(view)

    told = _told()
    assert told['qonto_xero_organisation_nights{state="done"}'] == 1
    assert told["qonto_xero_night_done_ratio"] == 0.5
    assert told["qonto_xero_night_age_seconds"] == 20 * 60
    assert told["qonto_xero_deadline_remaining_seconds"] == 10 * 60
    assert told["qonto_xero_night_posted"] == 5
    assert told['qonto_xero_postings{state="held"}'] == 1
    assert told['qonto_xero_invariant_violations{name="I22"}'] == 3
    assert told["qonto_xero_fleet_seen_timestamp_seconds"] == LATER.timestamp()
    assert isnan(told["qonto_xero_day_calls_left_min"])


def test_a_night_of_nobody_is_told_as_done(database: str) -> None:
    connection = make_connection()
    _night(RunState.WAITING, connection=connection)
    show(view_night(LATER))
    Connection.update(state=ConnectionState.DISCONNECTED).execute()

    show(view_night(LATER))

    told = _told()
    assert told["qonto_xero_night_done_ratio"] == 1
    assert 'qonto_xero_organisation_nights{state="waiting"}' not in told


def _told() -> dict[str, float]:
    lines = metrics.exposition().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
