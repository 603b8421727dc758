"""The scheduler's turn: each date's night once, at 23:00 where the organisation is, and no missed night skipped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from models.outbox import OutboxMessage
from models.states import RunKind, RunState
from models.sync_run import SyncRun
from scheduler.tick import NIGHTS_BACK, Ticked, tick
from tests.factories import make_connection, make_organisation
from tests.integration.conftest import AtOnce

SECOND = timedelta(seconds=1)

Nights = Callable[[], list[tuple[date, str]]]


@pytest.fixture
def in_paris(database: str) -> str:
    """The id of an organisation that has been connected for a year."""
    return make_connection(created_at=datetime(2025, 11, 1, tzinfo=UTC)).organisation_id


@pytest.fixture
def nights(database: str) -> Nights:
    """The nightly runs there are: local date and state, oldest first."""

    def read() -> list[tuple[date, str]]:
        runs = SyncRun.select().where(SyncRun.kind == RunKind.NIGHTLY).order_by(SyncRun.local_date)
        return [(run.local_date, run.state) for run in runs]

    return read


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (date(2026, 10, 24), datetime(2026, 10, 24, 21, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 25, 22, tzinfo=UTC)),
        (date(2027, 3, 27), datetime(2027, 3, 27, 22, tzinfo=UTC)),
        (date(2027, 3, 28), datetime(2027, 3, 28, 21, tzinfo=UTC)),
    ],
)
def test_on_the_days_the_clocks_change_the_night_still_opens_at_23_00(
    in_paris: str, nights: Nights, day: date, due: datetime
) -> None:
    tick(due - SECOND)
    assert (day, "due") not in nights()

    tick(due)
    assert (day, "due") in nights()


def test_a_scheduler_that_never_rests_opens_each_date_once_across_both_changes_of_the_clock(
    in_paris: str, nights: Nights
) -> None:
    for start, days in ((datetime(2026, 10, 23, 12, tzinfo=UTC), 4), (datetime(2027, 3, 26, 12, tzinfo=UTC), 4)):
        SyncRun.delete().execute()
        tick(start)
        SyncRun.delete().where(SyncRun.local_date < start.date()).execute()

        for half_hours in range(1, 48 * days):
            tick(start + timedelta(minutes=30 * half_hours))

        opened = [day for day, state in nights() if state == RunState.DUE and day >= start.date()]
        assert opened == [start.date() + timedelta(days=n) for n in range(days)]


def test_missed_nights_are_written_down_as_caught_up_by_the_one_that_is_due(in_paris: str, nights: Nights) -> None:
    tick(datetime(2026, 11, 16, 22, tzinfo=UTC))
    SyncRun.delete().where(SyncRun.local_date < date(2026, 11, 16)).execute()

    tick(datetime(2026, 11, 20, 1, 10, tzinfo=UTC))

    recent = [night for night in nights() if night[0] >= date(2026, 11, 16)]
    assert recent == [
        (date(2026, 11, 16), "due"),
        (date(2026, 11, 17), "caught_up"),
        (date(2026, 11, 18), "caught_up"),
        (date(2026, 11, 19), "due"),
    ]


def test_a_missed_night_is_not_worked_on_by_itself(in_paris: str) -> None:
    tick(datetime(2026, 11, 20, 1, 10, tzinfo=UTC))

    woken = OutboxMessage.select().count()
    assert woken == SyncRun.select().where(SyncRun.state == RunState.DUE).count()
    assert SyncRun.select().where(SyncRun.state == RunState.CAUGHT_UP).count() == NIGHTS_BACK


def test_nights_from_before_the_connection_are_nobodys(database: str, nights: Nights) -> None:
    make_connection(created_at=datetime(2026, 11, 18, 12, tzinfo=UTC))

    tick(datetime(2026, 11, 20, 1, 10, tzinfo=UTC))

    assert nights() == [(date(2026, 11, 18), "caught_up"), (date(2026, 11, 19), "due")]


def test_a_missed_look_at_xero_is_not_caught_up_because_the_next_one_sees_the_same(in_paris: str) -> None:
    tick(datetime(2026, 11, 20, 12, tzinfo=UTC))

    looks = SyncRun.select().where(SyncRun.kind == RunKind.OBSERVATION)
    assert [(run.local_date, run.state) for run in looks] == [(date(2026, 11, 20), "due")]


def test_each_organisation_follows_its_own_clock(database: str) -> None:
    organisations = {
        time_zone: make_connection(organisation_id=make_organisation(time_zone=time_zone).id).organisation_id
        for time_zone in ("Pacific/Kiritimati", "Asia/Kathmandu", "Europe/Paris", "America/Nuuk", "Pacific/Pago_Pago")
    }

    tick(datetime(2026, 11, 20, 22, tzinfo=UTC))

    due = SyncRun.select().where((SyncRun.kind == RunKind.NIGHTLY) & (SyncRun.state == RunState.DUE))
    newest = {run.organisation_id: run.local_date.day for run in due}
    assert [newest[organisations[time_zone]] for time_zone in organisations] == [20, 20, 20, 19, 19]


def test_a_turn_tells_what_it_did_and_the_next_one_has_nothing_to_do(in_paris: str) -> None:
    now = datetime(2026, 11, 20, 22, tzinfo=UTC)

    assert tick(now) == Ticked(opened=2, woken=2)
    assert tick(now + SECOND) == Ticked(opened=0, woken=0)


def test_two_schedulers_at_one_moment_do_the_work_of_one(in_paris: str, at_once: AtOnce) -> None:
    now = datetime(2026, 11, 20, 22, tzinfo=UTC)

    turns = at_once([lambda: tick(now)] * 4)

    assert sum(turn.opened for turn in turns) == sum(turn.woken for turn in turns) == 2
    assert OutboxMessage.select().count() == 2
