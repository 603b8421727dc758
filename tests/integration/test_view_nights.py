"""The nights of a month, counted from the tables: in time by each organisation's own clock, late, failed, missed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain.night import Standing
from domain.reasons import Unfinished
from models.states import RunKind, RunState
from models.sync_run import SyncRun, open_again
from services.view_night import view_night
from services.view_nights import Night, view_nights
from tests.factories import NOW, TODAY, make_connection, make_organisation, make_sync_run

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
YESTERDAY = TODAY - DAY


def _night(state: RunState, local_date: date = TODAY, **columns: Any) -> SyncRun:
    what: dict[str, Any] = {"kind": RunKind.NIGHTLY, "state": state, "local_date": local_date}
    return make_sync_run(**what | columns)


def test_a_night_is_in_time_until_2330(database: str) -> None:
    _night(RunState.DONE, finished_at=NOW + 30 * MINUTE - SECOND)
    _night(RunState.DONE, finished_at=NOW + 30 * MINUTE)
    _night(RunState.DONE, finished_at=NOW + 12 * 60 * MINUTE)

    assert view_nights(TODAY, 1) == [Night(TODAY, in_time=1, late=2)]


def test_2330_is_that_of_the_organisation_s_own_clock(database: str) -> None:
    lisbon = make_connection(organisation_id=make_organisation(time_zone="Europe/Lisbon").id)
    _night(RunState.DONE, connection=lisbon, finished_at=NOW + 80 * MINUTE)

    assert view_nights(TODAY, 1) == [Night(TODAY, in_time=1)]


def test_what_was_not_done_is_told_apart(database: str) -> None:
    for state in (RunState.DUE, RunState.RUNNING, RunState.WAITING):
        _night(state)
    _night(RunState.FAILED, code=Unfinished.NOT_IN_TIME)
    _night(RunState.CAUGHT_UP)
    _night(RunState.CAUGHT_UP)
    _night(RunState.DONE, kind=RunKind.MANUAL, finished_at=NOW)

    assert view_nights(TODAY, 1) == [Night(TODAY, failed=1, open=3, missed=2)]


def test_each_date_has_its_place_the_oldest_first_also_without_a_night(database: str) -> None:
    _night(RunState.DONE, YESTERDAY, finished_at=NOW - DAY)
    _night(RunState.DONE, TODAY - 3 * DAY, finished_at=NOW - 3 * DAY)

    nights = view_nights(TODAY, 3)

    assert [(one.local_date, one.total) for one in nights] == [(TODAY - 2 * DAY, 0), (YESTERDAY, 1), (TODAY, 0)]


def test_tonight_tells_when_each_was_done_and_who_is_late(database: str) -> None:
    for minute in (3, 3, 4):
        _night(RunState.DONE, finished_at=NOW + minute * MINUTE + SECOND)
    _night(RunState.RUNNING)
    _night(RunState.FAILED, code=Unfinished.NOT_IN_TIME)
    in_time, late = NOW + 8 * MINUTE, NOW + 31 * MINUTE

    tonight, later = view_night(in_time).tonight, view_night(late).tonight

    assert tonight is not None
    assert later is not None
    assert tonight.endings == [(NOW + 3 * MINUTE, 2), (NOW + 4 * MINUTE, 1)]
    assert [(one.time_zone, one.due_at) for one in tonight.windows] == [("Europe/Paris", NOW)]
    assert (tonight.left, tonight.late, tonight.standing(in_time)) == (1, 0, Standing.ON_TIME)
    assert (later.left, later.late, later.standing(late)) == (1, 1, Standing.STUCK)


def test_whoever_s_2330_has_passed_is_late_while_another_country_begins(database: str) -> None:
    lisbon = make_connection(organisation_id=make_organisation(time_zone="Europe/Lisbon").id)
    _night(RunState.RUNNING)
    _night(RunState.RUNNING, connection=lisbon)

    assert (tonight := view_night(NOW + 61 * MINUTE).tonight) is not None
    assert (tonight.left, tonight.late) == (2, 1)


def test_tonight_stays_done_in_time_while_and_after_a_night_is_done_once_more(database: str) -> None:
    night, *_ = [_night(RunState.DONE, finished_at=NOW + minute * MINUTE) for minute in (3, 4, 5)]
    afternoon, evening = NOW + 15 * 60 * MINUTE, NOW + 16 * 60 * MINUTE

    open_again(night.id, NOW - DAY, afternoon)
    meanwhile = view_night(afternoon).tonight
    SyncRun.update(state=RunState.DONE, finished_at=evening).where(SyncRun.id == night.id).execute()
    afterwards = view_night(evening).tonight

    assert meanwhile is not None
    assert afterwards is not None
    assert (meanwhile.states["due"], meanwhile.states["done"], meanwhile.done_before) == (1, 2, 1)
    for tonight in (meanwhile, afterwards):
        assert (tonight.done, tonight.left, tonight.late, tonight.failed) == (3, 0, 0, 0)
        assert (tonight.done_ratio, tonight.standing(evening)) == (1.0, Standing.DONE)
        assert tonight.endings == [(NOW + minute * MINUTE, 1) for minute in (3, 4, 5)]


@pytest.mark.parametrize("state", RunState)
def test_a_night_that_was_done_in_time_was_so_whatever_became_of_it_once_more(database: str, state: RunState) -> None:
    _night(state, code=Unfinished.NOT_IN_TIME, first_done_at=NOW + MINUTE, finished_at=NOW + DAY)

    assert view_nights(TODAY, 1) == [Night(TODAY, in_time=1)]
    if state != RunState.CAUGHT_UP:
        assert (tonight := view_night(NOW + 40 * MINUTE).tonight) is not None
        assert (tonight.done, tonight.left, tonight.late, tonight.failed) == (1, 0, 0, 0)
