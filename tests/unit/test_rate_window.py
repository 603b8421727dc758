"""The last minute's calls: never more than were made, never one forgotten too early."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.rate_window import SLOT_MS, SPAN, Window
from tests.unit.fakes import NOW

SLOT = timedelta(milliseconds=SLOT_MS)
MILLISECOND = timedelta(milliseconds=1)


def test_nothing_was_called() -> None:
    assert Window().used(NOW) == 0
    assert Window().opens_at(NOW) == NOW


def test_a_call_counts_for_a_minute_and_at_most_a_slot_more() -> None:
    window = Window().with_calls(1, NOW)

    assert window.used(NOW) == 1
    assert window.used(NOW + SPAN) == 1
    assert window.used(NOW + SPAN + SLOT) == 0


def test_it_says_when_the_oldest_call_stops_counting() -> None:
    window = Window().with_calls(1, NOW).with_calls(2, NOW + timedelta(seconds=10))

    opens = window.opens_at(NOW + timedelta(seconds=30))

    assert window.used(opens - MILLISECOND) == 3
    assert window.used(opens) == 2


def test_calls_of_one_slot_are_one_entry() -> None:
    window = Window().with_calls(1, NOW).with_calls(1, NOW + MILLISECOND)

    assert [calls for _, calls in window.slots] == [2]


def test_what_no_longer_counts_is_forgotten() -> None:
    window = Window().with_calls(1, NOW).with_calls(1, NOW + timedelta(hours=1))

    assert len(window.slots) == 1


def test_what_the_other_side_counts_and_we_do_not_know_of_is_added() -> None:
    window = Window().with_calls(3, NOW)

    assert window.at_least(10, NOW).used(NOW) == 10
    assert window.at_least(2, NOW) is window


def test_a_clock_that_was_set_back_forgets_nothing() -> None:
    window = Window().with_calls(5, NOW)

    assert window.with_calls(1, NOW - timedelta(seconds=30)).used(NOW - timedelta(seconds=30)) == 6


@given(
    gaps=st.lists(st.integers(0, 20_000), min_size=1, max_size=200), limit=st.integers(1, 20), late=st.integers(0, 249)
)
def test_whoever_asks_before_each_call_never_makes_more_than_the_limit_in_a_minute(
    gaps: list[int], limit: int, late: int
) -> None:
    window, now, made = Window(), NOW + timedelta(milliseconds=late), []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        if window.used(now) < limit:
            window = window.with_calls(1, now)
            made.append(now)

    for first in made:
        assert sum(first <= call < first + SPAN for call in made) <= limit


@given(gaps=st.lists(st.integers(0, 5_000), min_size=1, max_size=100), limit=st.integers(1, 20))
def test_whoever_waits_until_it_opens_is_let_in(gaps: list[int], limit: int) -> None:
    window, now = Window(), NOW
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        if window.used(now) >= limit:
            now = window.opens_at(now)
            assert window.used(now) < limit
        window = window.with_calls(1, now)
