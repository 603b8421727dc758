"""A scheduler's heartbeat: one row, however many schedulers run, and silence after a minute without it."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.heartbeat import BEAT_EVERY, SCHEDULER, SILENT_AFTER, Heartbeat, beat, is_silent, last_beat
from scheduler.loop import Scheduler
from services.view_night import view_night
from tests.factories import NOW

A_MOMENT = timedelta(milliseconds=1)


def scheduler(clock: list[datetime]) -> Scheduler:
    return Scheduler(lambda: clock[-1], tick_seconds=0)


def test_where_no_scheduler_ever_turned_there_is_none(database: str) -> None:
    assert last_beat(SCHEDULER) is None
    assert not view_night(NOW).is_scheduled


def test_a_scheduler_that_turns_is_seen(database: str) -> None:
    scheduler([NOW]).turn()

    assert last_beat(SCHEDULER) == NOW
    assert view_night(NOW).is_scheduled


def test_a_scheduler_writes_seldom_and_again_once_the_clock_has_moved(database: str) -> None:
    clock = [NOW]
    turning = scheduler(clock)
    moments = [NOW, NOW + BEAT_EVERY - A_MOMENT, NOW + BEAT_EVERY]

    seen = []
    for moment in moments:
        clock.append(moment)
        turning.turn()
        seen.append(last_beat(SCHEDULER))

    assert seen == [NOW, NOW, NOW + BEAT_EVERY]


def test_two_schedulers_are_one_row_with_the_newest_moment(database: str) -> None:
    beat(SCHEDULER, NOW)
    beat(SCHEDULER, NOW + BEAT_EVERY)

    assert [row.beat_at for row in Heartbeat.select()] == [NOW + BEAT_EVERY]


def test_after_a_minute_of_silence_none_is_running(database: str) -> None:
    beat(SCHEDULER, NOW)

    assert not is_silent(last_beat(SCHEDULER), NOW + SILENT_AFTER)
    assert is_silent(last_beat(SCHEDULER), NOW + SILENT_AFTER + A_MOMENT)
