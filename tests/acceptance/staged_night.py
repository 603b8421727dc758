"""A night as it may be at 23:12, after a month of others: something of everything that the operations page draws."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from domain.night import window_of
from domain.reasons import Broken, Held, Unfinished, Waits
from models.database import transaction
from models.organisation import Connection
from models.states import ConnectionState, PostingState, RunKind, RunState
from tests.factories import (
    NOW,
    TODAY,
    make_call_budget,
    make_connection,
    make_invariant_check,
    make_lease,
    make_outbox_message,
    make_pause,
    make_posting,
    make_quarantine,
    make_sync_run,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
AT = NOW + 12 * MINUTE + timedelta(seconds=4)
ORGANISATIONS = 120
NIGHTS = 29


def stage_night() -> None:
    """Into the database that this thread is connected to."""
    with transaction():
        connections = [make_connection() for _ in range(ORGANISATIONS)]
        for back in range(1, NIGHTS + 1):
            _former_night(connections[: ORGANISATIONS - 3 * back], TODAY - back * DAY, back)
        _tonight(connections)
        _problems(connections)
        _everything_else()


def _night(connection: Connection, state: RunState, local_date: date = TODAY, **columns: Any) -> None:
    what: dict[str, Any] = {"kind": RunKind.NIGHTLY, "state": state, "local_date": local_date}
    make_sync_run(connection=connection, **what | columns)


def _former_night(connections: Sequence[Connection], day: date, back: int) -> None:
    """Most went well; one was missed, on one some failed, on two some were late."""
    due_at = window_of("Europe/Paris", day).due_at
    for number, connection in enumerate(connections):
        if back == 17:
            _night(connection, RunState.CAUGHT_UP, day)
        elif back == 8 and number % 4 == 0:
            _night(connection, RunState.FAILED, day, code=Unfinished.NOT_IN_TIME)
        else:
            late = back in {7, 23} and number % 5 == 0
            _night(connection, RunState.DONE, day, finished_at=due_at + (34 if late else number % 19) * MINUTE)


def _tonight(connections: Sequence[Connection]) -> None:
    done = 84
    for number, connection in enumerate(connections):
        if number < done:
            seconds = 70 + 640 * (number / done) ** 0.8
            _night(connection, RunState.DONE, finished_at=NOW + timedelta(seconds=seconds), posted=11 + number % 37)
        elif number < done + 6:
            _night(connection, RunState.RUNNING, wake_at=AT)
            make_lease(organisation_id=connection.organisation_id, expires_at=AT + MINUTE)
        elif number < done + 11:
            _night(connection, RunState.WAITING, code=Waits.LIMIT, wake_at=AT + MINUTE)
        elif number < done + 12:
            _night(connection, RunState.FAILED, code=Broken.XERO)
        else:
            _night(connection, RunState.DUE)


def _problems(connections: Sequence[Connection]) -> None:
    broken = connections[95]
    Connection.update(state=ConnectionState.NEEDS_RECONNECT).where(Connection.id == broken.id).execute()
    for number, connection in enumerate(connections[-24:]):
        for _ in range(number % 5):
            make_posting(connection=connection, state=PostingState.DUE)
    for connection in connections[:7]:
        make_posting(connection=connection, state=PostingState.HELD, reason=Held.LOCK_DATE)
    make_posting(connection=connections[8], state=PostingState.HELD, reason=Held.TWICE_IN_XERO)
    for connection in connections[-3:]:
        make_posting(connection=connection, state=PostingState.UNCERTAIN, changed_at=AT - 4 * MINUTE)


def _everything_else() -> None:
    for _ in range(3):
        make_outbox_message(created_at=AT - timedelta(seconds=1))
    make_quarantine(created_at=AT - timedelta(hours=3))
    slot = int(AT.timestamp() * 1000) // 250
    make_call_budget(scope="app", slots=f"[[{slot - 40}, 2170]]")
    make_call_budget(day_left=3_120, day_heard_at=AT)
    make_pause(not_before=AT + MINUTE)
    for name in ("I1", "I2", "I3", "I7", "I22"):
        make_invariant_check(name=name, checked_at=AT - 6 * MINUTE)
