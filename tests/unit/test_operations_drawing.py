"""The picture of a night in numbers: where lines, marks and columns stand, whenever it is looked at."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.night import window_of
from services.view_night import Tonight
from services.view_nights import Night
from tests.unit.nights import DAY, DUE, HOUR, MINUTE, STATES, TODAY, tonight
from web.operations.clock import clock_of
from web.operations.drawing import KINDS, LEAST, MOST_TICKS, Progress, bars, draw_nights, draw_progress

NUMBER = re.compile(r"-?[0-9.]+")


def drawn(night: Tonight, after: timedelta) -> Progress:
    now = DUE + after
    return draw_progress(night, now, clock_of(night.windows, now))


def numbers(path: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(path)]


def test_the_line_rises_a_step_a_minute_to_the_share_of_now() -> None:
    picture = drawn(tonight(endings=[(DUE + 3 * MINUTE, 1), (DUE + 6 * MINUTE, 3)]), 15 * MINUTE)

    assert picture.line == "M0 1000.0H100.0V900.0H200.0V600.0H500.0"
    assert picture.here == (50.0, 60.0)


def test_the_axis_reaches_the_deadline_which_stands_at_its_end() -> None:
    picture = drawn(tonight(), 5 * MINUTE)

    assert [(mark.text, mark.across) for mark in picture.deadlines] == [("deadline 23:30", 100.0)]
    assert [mark.text for mark in picture.ticks] == [f"23:{minute:02}" for minute in range(0, 30, 5)] + ["23:30"]
    assert (picture.ticks[0].across, picture.ticks[-1].across) == (0.0, 100.0)


def test_while_something_is_left_the_axis_goes_on_to_now_past_midnight_too() -> None:
    picture = drawn(tonight(), 2 * HOUR)

    assert [mark.text for mark in picture.ticks] == ["23:00", "23:30", "00:00", "00:30", "01:00"]
    assert picture.here[0] == 100.0
    assert picture.deadlines[0].across == 25.0


def test_once_nothing_is_left_the_picture_ends_with_the_night() -> None:
    done = tonight(endings=[(DUE + 3 * MINUTE, 10)])

    assert drawn(done, 10 * HOUR).ticks[-1].text == "23:30"
    assert drawn(done, 10 * HOUR).here == (100.0, 0.0)


def test_the_pace_goes_on_from_here_to_the_end_and_over_the_deadline_when_it_is_late() -> None:
    in_time = drawn(tonight(projected_end=DUE + 15 * MINUTE), 10 * MINUTE)
    late = drawn(tonight(projected_end=DUE + 50 * MINUTE), 10 * MINUTE)

    assert numbers(in_time.pace) == [pytest.approx(1000 / 3, abs=0.1), 600.0, 500.0, 0.0]
    assert late.ticks[-1].text == "23:50"
    assert numbers(late.pace)[2:] == [1000.0, 0.0]


def test_a_pace_that_is_days_away_leaves_the_picture_on_its_way() -> None:
    picture = drawn(tonight(projected_end=DUE + 2 * DAY), 10 * MINUTE)

    *_, across, high = numbers(picture.pace)
    assert across == 1000.0
    assert 500 < high < 600
    assert picture.ticks[-1].text == "00:00"


def test_in_the_first_moment_nothing_is_divided_by_nothing() -> None:
    picture = drawn(tonight(endings=[]), timedelta())

    assert picture.line == "M0 1000.0H0.0"
    assert picture.here == (0.0, 100.0)


def test_a_night_of_whoever_let_us_in_is_done_even_if_that_is_nobody() -> None:
    assert drawn(tonight(endings=[], total=2, states={**dict.fromkeys(STATES, 0), "failed": 2}, done_ratio=1.0), HOUR)


def test_two_countries_have_a_deadline_each_on_a_line_of_its_own() -> None:
    both = tonight(("Europe/Lisbon", TODAY), ("Europe/Madrid", TODAY), ("Europe/Paris", TODAY))

    picture = drawn(both, 70 * MINUTE)

    assert [(mark.text, mark.row) for mark in picture.deadlines] == [("Madrid +1 22:30", 0), ("Lisbon 23:30", 1)]


def test_of_many_countries_the_first_and_the_last_deadline_are_marked() -> None:
    zones = ("Europe/Helsinki", "Europe/Paris", "Europe/Lisbon")

    picture = drawn(tonight(*((zone, TODAY) for zone in zones)), 70 * MINUTE)

    assert [mark.text for mark in picture.deadlines] == ["Helsinki 21:30", "Lisbon 23:30"]


def test_a_country_where_it_is_not_23_yet_is_not_in_the_picture_but_what_it_did_is_in_the_share() -> None:
    both = tonight(
        ("Europe/Lisbon", TODAY - DAY),
        ("Europe/Paris", TODAY),
        endings=[(DUE - 23 * HOUR, 4), (DUE + 3 * MINUTE, 1)],
    )

    picture = drawn(both, 6 * MINUTE)

    assert picture.line == "M0 600.0H100.0V500.0H200.0"
    assert [mark.text for mark in picture.deadlines] == ["deadline 22:30"]


@given(
    after=st.integers(min_value=0, max_value=24 * 60 - 1),
    endings=st.lists(st.integers(min_value=0, max_value=24 * 60 - 1), max_size=9),
    projected=st.none() | st.integers(min_value=1, max_value=10_000),
    zones=st.lists(st.sampled_from(["Europe/Paris", "Europe/Lisbon", "Asia/Kathmandu", "UTC"]), min_size=1, max_size=4),
)
def test_whenever_it_is_looked_at_everything_is_inside_and_no_two_labels_meet(
    after: int, endings: list[int], projected: int | None, zones: list[str]
) -> None:
    night = tonight(
        *((zone, TODAY) for zone in zones),
        endings=[(DUE + minute * MINUTE, 1) for minute in sorted(endings) if minute <= after],
        projected_end=None if projected is None else DUE + (after + projected) * MINUTE,
    )

    picture = drawn(night, after * MINUTE)

    path = [*numbers(picture.line), *numbers(picture.pace)]
    assert all(0 <= number <= 1000 for number in path)
    heights = [float(number) for number in re.findall(r"V([0-9.]+)", picture.line)]
    assert heights == sorted(heights, reverse=True)
    assert all(later.across - former.across >= 100 / MOST_TICKS / 2.5 for former, later in pairwise(picture.ticks))
    assert len(picture.ticks) <= MOST_TICKS + 1
    assert len({mark.row for mark in picture.deadlines}) == len(picture.deadlines) <= 2


@pytest.mark.parametrize(
    ("zones", "minutes", "name", "midnight"),
    [
        (["Europe/Paris"], 5, "Europe/Paris", "23:00"),
        (["Europe/Madrid", "Europe/Paris"], 5, "CET, in 2 time zones", "23:00"),
        (["Europe/Lisbon", "Europe/Paris"], 5, "UTC", "22:00"),
        ([], 5, "UTC", "22:00"),
    ],
)
def test_times_are_those_of_everybody_s_clock_if_they_share_one(
    zones: list[str], minutes: int, name: str, midnight: str
) -> None:
    clock = clock_of([window_of(zone, TODAY) for zone in zones], DUE + minutes * MINUTE)

    assert (clock.name, clock.time(DUE)) == (name, midnight)


def test_a_moment_of_another_day_has_its_date() -> None:
    clock = clock_of([window_of("Europe/Paris", TODAY)], DUE)

    assert clock.near(DUE + 3 * HOUR, DUE) == "02:00"
    assert clock.near(DUE + 2 * DAY, DUE) == "22 November, 23:00"


def test_bars_are_as_long_as_they_count_and_nothing_has_none() -> None:
    assert [bar.long for bar in bars({"due": 50, "done": 200, "failed": 0})] == [25.0, 100.0, 0.0]
    assert [bar.long for bar in bars({"due": 0})] == [0.0]
    assert bars({}) == []


@given(st.lists(st.integers(min_value=0, max_value=100_000), min_size=5, max_size=5))
def test_a_column_is_full_and_shows_one_failure_among_a_hundred_thousand(counts: list[int]) -> None:
    night = Night(TODAY, *counts)

    [column] = draw_nights([night], 96)

    assert [piece.kind for piece in column.pieces] == [kind for kind in KINDS if getattr(night, kind)]
    assert all(piece.tall >= LEAST - 0.01 for piece in column.pieces)
    if column.pieces:
        assert column.pieces[-1].top == pytest.approx(0, abs=0.01)
        assert sum(piece.tall for piece in column.pieces) == pytest.approx(96, abs=0.05)


def test_thirty_columns_stand_beside_each_other() -> None:
    columns = draw_nights([Night(TODAY - back * DAY, in_time=1) for back in range(30)], 96)

    assert all(later.across >= former.across + former.wide for former, later in pairwise(columns))
    assert columns[-1].across + columns[-1].wide <= 100
