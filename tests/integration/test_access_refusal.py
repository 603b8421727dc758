"""Refusals of access as rows: counted once each, seen by all, gone when let in; and the probes of what is broken."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.access import BRAKE_LEAST, BRAKE_WINDOW, PROBE_EVERY
from models.access_refusal import (
    AccessRefusal,
    Refused,
    count_ending,
    count_refusal,
    count_refused,
    forget_refusals,
    held_back,
    refusals_of,
    store_ending,
)
from models.organisation import Connection, heal
from models.states import ConnectionState, RunKind, RunState
from models.sync_run import SyncRun, open_probes
from tests.factories import NOW, make_access_refusal, make_connection, make_credential, make_sync_run
from tests.integration.conftest import AtOnce

MOMENT = timedelta(milliseconds=1)
HOUR = timedelta(hours=1)


def test_refusals_are_counted_per_connection_and_side_from_the_first_on(database: str) -> None:
    one, other = make_connection(), make_connection()
    for hours in range(3):
        count_refusal(one.id, "xero", f"refused {hours}", NOW + hours * HOUR)
    count_refusal(one.id, "qonto", "401", NOW)
    count_refusal(other.id, "xero", "403", NOW)

    qonto, xero = refusals_of(one.id)
    assert (xero.refusals, xero.refused_since, xero.refused_at) == (3, NOW, NOW + 2 * HOUR)
    assert xero.problem == "refused 2"
    assert qonto.refusals == 1

    forget_refusals(one.id, ["xero"])

    assert [refusal.side for refusal in refusals_of(one.id)] == ["qonto"]
    assert len(refusals_of(other.id)) == 1


def test_connections_that_would_end_are_counted_once_each_and_no_further_than_asked(database: str) -> None:
    since = NOW - BRAKE_WINDOW
    make_access_refusal(ends_since=since)
    make_access_refusal(ends_since=since - MOMENT)
    make_access_refusal(ends_since=since - HOUR, held_until=NOW + MOMENT)
    make_access_refusal(ends_since=since - HOUR, held_until=NOW)
    make_access_refusal()
    twice = make_connection()
    for side in ("qonto", "xero"):
        make_access_refusal(connection_id=twice.id, side=side, ends_since=NOW)

    assert count_ending(since, NOW, 100) == 3
    assert count_ending(since, NOW, 2) == 2


def test_those_held_back_are_named_until_their_time_is_over(database: str) -> None:
    refusal = make_access_refusal()
    store_ending(refusal, NOW, NOW + HOUR)

    assert [one.connection_id for one in held_back(NOW)] == [refusal.connection_id]
    assert count_refused(NOW) == Refused(1, 1)
    assert held_back(NOW + HOUR) == []
    store_ending(refusal, None, None)
    assert count_refused(NOW) == Refused(1, 0)


def test_only_live_connections_are_shown_as_refused(database: str) -> None:
    make_access_refusal(connection_id=make_connection(state=ConnectionState.NEEDS_RECONNECT).id)

    assert count_refused(NOW) == Refused(0, 0)


def test_workers_that_write_at_one_moment_see_each_other_a_window_later(database: str, at_once: AtOnce) -> None:
    connections = [make_connection() for _ in range(BRAKE_LEAST)]

    def ends(connection: Connection) -> int:
        store_ending(count_refusal(connection.id, "xero", "403", NOW), NOW, None)
        return 0

    at_once([lambda one=one: ends(one) for one in connections])  # type: ignore[misc]

    assert count_ending(NOW, NOW + BRAKE_WINDOW, 100) == BRAKE_LEAST
    assert AccessRefusal.select().count() == BRAKE_LEAST


# Probes.


def broken(**changes: object) -> Connection:
    return make_connection(state=ConnectionState.NEEDS_RECONNECT, **changes)


@pytest.mark.parametrize(("refused_before", "probes"), [(PROBE_EVERY, 1), (PROBE_EVERY - MOMENT, 0)])
def test_a_broken_connection_is_probed_some_time_after_it_was_refused(
    database: str, refused_before: timedelta, probes: int
) -> None:
    connection = broken()
    make_access_refusal(connection_id=connection.id, refused_at=NOW - refused_before)

    assert open_probes(PROBE_EVERY, NOW) == probes


def test_a_probe_is_open_once_and_comes_again_the_next_day(database: str) -> None:
    connection = broken()
    make_connection()

    opened = [open_probes(PROBE_EVERY, NOW + hours * HOUR) for hours in range(49)]

    assert sum(opened) == SyncRun.select().where(SyncRun.kind == RunKind.PROBE).count()
    assert sum(opened[:25]) in {1, 2}
    assert sum(opened) <= 3
    run = SyncRun.select().first()
    assert (run.connection_id, run.state, run.wake_at, run.lane) == (connection.id, RunState.DUE, NOW, "nightly")


@pytest.mark.parametrize("state", [state for state in ConnectionState if state != ConnectionState.NEEDS_RECONNECT])
def test_only_a_broken_connection_is_probed(database: str, state: ConnectionState) -> None:
    make_connection(state=state)

    assert open_probes(PROBE_EVERY, NOW) == 0


def test_a_probe_of_a_former_connection_of_the_day_is_no_error(database: str) -> None:
    connection = broken()
    make_sync_run(connection=connection, kind=RunKind.PROBE, local_date=NOW.date(), created_at=NOW - 2 * PROBE_EVERY)

    assert open_probes(PROBE_EVERY, NOW) == 0


def test_schedulers_that_look_at_one_moment_open_each_probe_once(database: str, at_once: AtOnce) -> None:
    for _ in range(5):
        broken()

    assert sum(at_once([lambda: open_probes(PROBE_EVERY, NOW)] * 4)) == 5


def test_a_broken_connection_is_healed_once(database: str) -> None:
    connection = broken(reason="403")

    assert [heal(connection), heal(connection)] == [True, False]
    healed = Connection.get_by_id(connection.id)
    assert (healed.state, healed.reason) == (ConnectionState.LIVE, "")


@pytest.mark.parametrize("changed", ["qonto_credential_id", "xero_credential_id"])
def test_a_connection_that_a_person_gave_other_secrets_meanwhile_is_not_healed_by_the_old_ones(
    database: str, changed: str
) -> None:
    connection = broken()
    Connection.update({changed: make_credential(id="another").id}).where(Connection.id == connection.id).execute()

    assert not heal(connection)


@pytest.mark.parametrize("state", [ConnectionState.DISCONNECTING, ConnectionState.DISCONNECTED])
def test_a_connection_that_a_person_ends_is_not_healed(database: str, state: ConnectionState) -> None:
    connection = broken()
    Connection.update(state=state).where(Connection.id == connection.id).execute()

    assert not heal(connection)
