"""When a refusal of access is final, when to ask again, and when the fleet brake is on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.access import (
    BRAKE_LEAST,
    BRAKE_WINDOW,
    HELD_COUNTS,
    HELD_TRIES,
    LATER_TRIES,
    LEAST_REFUSALS,
    LEAST_TIME,
    TRIES_AFTER,
    Side,
    brake_counts_from,
    can_brake,
    counted_for_brake,
    is_final,
    next_try,
    pending_since,
    side_of,
)
from tests.factories import NOW

MOMENT = timedelta(milliseconds=1)
ENOUGH = LEAST_REFUSALS


@pytest.mark.parametrize(
    ("refusals", "after", "final"),
    [
        (1, timedelta(0), False),
        (1, timedelta(days=30), False),
        (ENOUGH - 1, timedelta(days=30), False),
        (1000, LEAST_TIME - MOMENT, False),
        (ENOUGH, LEAST_TIME, True),
    ],
)
def test_refusals_are_final_only_if_they_are_several_and_spread_over_hours(
    refusals: int, after: timedelta, final: bool
) -> None:
    assert is_final(NOW, refusals, NOW + after) is final


def test_whoever_asks_when_told_to_comes_to_an_end_on_the_last_planned_try() -> None:
    now, refusals = NOW, 1
    while not is_final(NOW, refusals, now):
        now, refusals = next_try(NOW, now), refusals + 1

    assert (now - NOW, refusals) == (LEAST_TIME, len(TRIES_AFTER) + 1)


def test_a_refusal_is_looked_at_again_within_minutes_so_that_the_night_can_be_in_time() -> None:
    assert next_try(NOW, NOW) - NOW <= timedelta(minutes=5)


def test_after_the_planned_tries_we_ask_now_and_then() -> None:
    late = NOW + TRIES_AFTER[-1]

    assert next_try(NOW, late) == late + LATER_TRIES


@pytest.mark.parametrize(
    ("live", "brake"), [(0, 5), (5, 5), (100, 5), (499, 5), (500, 6), (599, 6), (600, 7), (10_000, 101)]
)
def test_the_brake_wants_five_connections_and_more_than_one_in_a_hundred(live: int, brake: int) -> None:
    assert counted_for_brake(live) == brake


def test_where_fewer_than_five_live_there_is_nothing_to_brake() -> None:
    assert [can_brake(live) for live in (0, BRAKE_LEAST - 1, BRAKE_LEAST)] == [False, False, True]


@pytest.mark.parametrize(
    ("looked_after", "starts_anew"),
    [(timedelta(0), False), (BRAKE_WINDOW, False), (2 * BRAKE_WINDOW, False), (2 * BRAKE_WINDOW + MOMENT, True)],
)
def test_an_end_that_nobody_looked_at_again_in_time_is_watched_for_a_whole_window_anew(
    looked_after: timedelta, starts_anew: bool
) -> None:
    now = NOW + looked_after

    assert pending_since(NOW, None, now) == (now if starts_anew else NOW)


def test_one_that_is_held_back_is_pending_for_as_long_as_it_counts() -> None:
    held_until = NOW + timedelta(days=1)

    assert pending_since(NOW, held_until, held_until) == NOW
    assert pending_since(NOW, held_until, held_until + MOMENT) == held_until + MOMENT
    assert HELD_TRIES < HELD_COUNTS


def test_all_that_would_end_within_ten_minutes_of_one_another_are_counted_together() -> None:
    looked_at = NOW + BRAKE_WINDOW + timedelta(minutes=3)  # a worker came late

    assert brake_counts_from(NOW, looked_at) == NOW - BRAKE_WINDOW


def test_one_that_is_held_back_for_days_is_counted_with_what_happens_now() -> None:
    assert brake_counts_from(NOW - timedelta(days=3), NOW) == NOW - 3 * BRAKE_WINDOW


@pytest.mark.parametrize(
    ("call", "side"),
    [
        ("Qonto GET /v2/organization", Side.QONTO),
        ("Qonto API key", Side.QONTO),
        ("token refresh at Qonto", Side.QONTO),
        ("GET /v2/bank_accounts", Side.QONTO),
        ("Xero GET /Accounts", Side.XERO),
        ("token refresh at Xero", Side.XERO),
        ("GET /api.xro/2.0/Accounts", Side.XERO),
    ],
)
def test_an_error_names_whom_it_is_about(call: str, side: Side) -> None:
    assert side_of(call) == side
