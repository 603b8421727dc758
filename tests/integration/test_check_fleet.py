"""What must always hold, looked at for everybody at once: each invariant seen to hold, and seen to be violated."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.reasons import Held
from models.invariant_check import FLEET, InvariantCheck
from models.organisation import Connection
from models.states import BatchState, ConnectionState, PostingState, RunKind, RunState
from models.sync_run import SyncRun
from services.check_fleet import EVERY, SAMPLE, check_fleet, check_fleet_if_due, sample_if_due
from tests.factories import (
    NOW,
    TODAY,
    make_connection,
    make_invariant_check,
    make_lease,
    make_posting,
    make_posting_batch,
    make_sync_run,
)

MINUTE = timedelta(minutes=1)
LATER = NOW + 20 * MINUTE
MORNING = NOW + 6 * 60 * MINUTE
YESTERDAY = TODAY - timedelta(days=1)


def _live() -> Connection:
    return make_connection(created_at=NOW - 12 * 60 * MINUTE)


def _night(connection: Connection, **columns: Any) -> SyncRun:
    return make_sync_run(connection=connection, **{"kind": RunKind.NIGHTLY, "local_date": TODAY} | columns)


def _done(connection: Connection) -> SyncRun:
    return _night(connection, state=RunState.DONE, finished_at=NOW + 10 * MINUTE)


def _violated(*ours: Connection) -> list[str]:
    """What does not hold; connections that factories made beside ours were made just now, and have no night yet."""
    Connection.update(created_at=LATER).where(Connection.id.not_in([one.id for one in ours])).execute()
    return [line.name for line in check_fleet(LATER) if not line.holds]


def _sent(connection: Connection, cents: int) -> None:
    """A batch whose bytes say 1.00, and our record of it, which says `cents`."""
    line = {"LineItems": [{"UnitAmount": 1.00}], "Type": "SPEND", "Date": str(TODAY), "Url": "link"}
    body = json.dumps({"BankTransactions": [line]}).encode()
    batch = make_posting_batch(connection_id=connection.id, state=BatchState.RESOLVED, body=body)
    told: dict[str, Any] = {
        "url": "link",
        "side": "debit",
        "amount_cents": cents,
        "date": TODAY,
        "state": PostingState.POSTED,
    }
    make_posting(connection=connection, batch_id=batch.id, **told)


def test_a_quiet_fleet_holds_everything(database: str) -> None:
    connection = _live()
    _done(connection)
    _sent(connection, 100)

    assert _violated(connection) == []
    assert {row.name: row.violations for row in InvariantCheck.select()} == dict.fromkeys(
        ("I1", "I7", "I11", "I17", "I22"), 0
    )


def _twice(connection: Connection) -> None:
    make_posting(connection=connection, state=PostingState.HELD, reason=Held.TWICE_IN_XERO)


def _left_behind(connection: Connection) -> None:
    make_posting_batch(connection_id=connection.id, state=BatchState.UNCERTAIN)


def _left_due(connection: Connection) -> None:
    make_posting(connection=connection, state=PostingState.DUE, changed_at=NOW)


def _wrong_amount(connection: Connection) -> None:
    _sent(connection, 101)


def _no_night(connection: Connection) -> None:
    SyncRun.delete().where(SyncRun.connection_id == connection.id).execute()


@pytest.mark.parametrize(
    ("name", "violate"),
    [("I1", _twice), ("I7", _left_behind), ("I11", _left_due), ("I17", _wrong_amount), ("I22", _no_night)],
)
def test_each_invariant_is_seen_to_be_violated(
    database: str, name: str, violate: Callable[[Connection], None], caplog: pytest.LogCaptureFixture
) -> None:
    connection = _live()
    _done(connection)
    violate(connection)

    assert _violated(connection) == [name]

    stored = InvariantCheck.get(InvariantCheck.name == name)
    assert (stored.scope, stored.violations, stored.checked_at) == (FLEET, 1, LATER)
    assert stored.examples
    assert name in caplog.text


def test_what_somebody_works_on_or_is_woken_for_is_not_left_behind(database: str) -> None:
    at_work, woken, broken = _live(), _live(), make_connection(state=ConnectionState.NEEDS_RECONNECT)
    for connection in (at_work, woken, broken):
        _left_behind(connection)
    _done(at_work)
    make_lease(organisation_id=at_work.organisation_id, owner="w", expires_at=LATER + MINUTE)
    _night(woken, state=RunState.WAITING, wake_at=LATER + MINUTE)

    assert _violated(at_work, woken) == []


def test_what_became_due_after_the_night_waits_for_the_next_one(database: str) -> None:
    connection = _live()
    _done(connection)
    make_posting(connection=connection, state=PostingState.DUE, changed_at=NOW + 15 * MINUTE)

    assert _violated(connection) == []


def test_one_look_in_a_quarter_of_an_hour_is_enough(database: str) -> None:
    check_fleet_if_due(NOW)
    check_fleet_if_due(NOW + EVERY - MINUTE)
    assert {row.checked_at for row in InvariantCheck.select()} == {NOW}

    check_fleet_if_due(NOW + EVERY)

    assert {row.checked_at for row in InvariantCheck.select()} == {NOW + EVERY}


def _inspected() -> set[str]:
    return {run.organisation_id for run in SyncRun.select().where(SyncRun.kind == RunKind.INSPECTION)}


def test_a_few_are_compared_with_xero_each_night_and_others_the_next(database: str) -> None:
    everybody = {_live().organisation_id for _ in range(3 * SAMPLE)}
    make_connection(state=ConnectionState.NEEDS_RECONNECT)

    assert sample_if_due(NOW) == 0
    assert sample_if_due(MORNING) == SAMPLE
    assert sample_if_due(MORNING + MINUTE) == 0
    tonight = _inspected()
    assert sample_if_due(MORNING + timedelta(days=1)) == SAMPLE

    assert tonight < everybody
    assert _inspected() > tonight


def test_who_was_found_wrong_is_compared_again_the_next_night(database: str) -> None:
    for _ in range(2 * SAMPLE):
        _live()
    sample_if_due(MORNING)
    wrong = next(iter({one.organisation_id for one in Connection.select()} - _inspected()))
    make_invariant_check(name="I1", scope=wrong, violations=1)

    sample_if_due(MORNING + timedelta(days=2))

    assert wrong in _inspected()


def test_who_has_left_is_forgotten(database: str) -> None:
    gone = make_connection(state=ConnectionState.DISCONNECTED)
    make_invariant_check(name="I1", scope=gone.organisation_id, violations=1)
    make_invariant_check(name="I99", scope=FLEET, violations=1)
    _twice(gone)

    sample_if_due(MORNING)
    assert _violated() == []

    assert {(row.name, row.scope) for row in InvariantCheck.select() if row.violations} == set()
