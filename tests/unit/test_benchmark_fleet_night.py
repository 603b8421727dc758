"""The simulated fleet keeps the limit and leaves nobody out."""

from __future__ import annotations

from benchmarks.fleet_night import CALL_SECONDS, READ_SECONDS, TICK_SECONDS, TURN_SECONDS, Fleet

ALONE = TURN_SECONDS + sum(CALL_SECONDS)


def test_without_a_limit_in_the_way_a_night_takes_what_its_calls_take() -> None:
    night = Fleet(organisations=10).live()
    assert (night.calls, night.refused_turns) == (20, 0)
    assert ALONE <= night.seconds < ALONE + READ_SECONDS


def test_a_minute_s_calls_last_a_minute() -> None:
    night = Fleet(organisations=60, app_minute=60).live()  # 120 calls: 60 now, 60 more a minute later
    assert night.refused_turns > 0
    assert night.calls >= 120
    assert 60 < night.seconds < 120 + ALONE + 2 * TICK_SECONDS


def test_the_ideal_counts_each_call_that_is_needed_once() -> None:
    night = Fleet(organisations=10_000, app_minute=10_000).live()
    assert night.ideal_seconds == 120
    assert night.calls >= 20_000
    assert night.against_ideal > 60 / 120  # the first minute's calls go out at once
