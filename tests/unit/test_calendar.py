"""23:00 on each organisation's own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import NIGHT, OBSERVATION, falls_due, latest_due, local_date

ZONES = [
    "Europe/Paris",
    "Europe/Lisbon",
    "Atlantic/Azores",
    "America/Nuuk",  # its clocks change at 23:00 and midnight
    "America/New_York",
    "America/Santiago",  # its clocks change at midnight
    "America/St_Johns",
    "Asia/Kathmandu",  # 5 h 45 from UTC
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Kiritimati",  # 14 h ahead
    "Pacific/Pago_Pago",  # 11 h behind
    "UTC",
]
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("day", "time_zone", "due"),
    [
        (date(2026, 11, 20), "Europe/Paris", datetime(2026, 11, 20, 22, tzinfo=UTC)),
        (date(2026, 10, 24), "Europe/Paris", datetime(2026, 10, 24, 21, tzinfo=UTC)),
        (date(2026, 10, 25), "Europe/Paris", datetime(2026, 10, 25, 22, tzinfo=UTC)),
        (date(2027, 3, 27), "Europe/Paris", datetime(2027, 3, 27, 22, tzinfo=UTC)),
        (date(2027, 3, 28), "Europe/Paris", datetime(2027, 3, 28, 21, tzinfo=UTC)),
        (date(2026, 11, 20), "Asia/Kathmandu", datetime(2026, 11, 20, 17, 15, tzinfo=UTC)),
        (date(2026, 11, 20), "Pacific/Kiritimati", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        (date(2026, 11, 20), "Pacific/Pago_Pago", datetime(2026, 11, 21, 10, tzinfo=UTC)),
    ],
)
def test_the_night_falls_due_at_23_00_where_the_organisation_is(day: date, time_zone: str, due: datetime) -> None:
    assert falls_due(day, NIGHT, time_zone) == due


def test_where_23_00_is_skipped_the_night_falls_due_when_it_would_have_been() -> None:
    assert falls_due(date(2027, 3, 27), NIGHT, "America/Nuuk") == datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_where_23_00_comes_twice_the_night_falls_due_the_first_time() -> None:
    assert falls_due(date(2026, 10, 24), NIGHT, "America/Nuuk") == datetime(2026, 10, 25, 0, tzinfo=UTC)


def test_the_hour_that_comes_twice_brings_no_second_night() -> None:
    second_time = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    assert latest_due(second_time, NIGHT, "America/Nuuk") == date(2026, 10, 24)


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        (datetime(2026, 10, 25, 21, 59, 59, tzinfo=UTC), date(2026, 10, 24)),
        (datetime(2026, 10, 25, 22, 0, 0, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2027, 3, 28, 20, 59, 59, tzinfo=UTC), date(2027, 3, 27)),
        (datetime(2027, 3, 28, 21, 0, 0, tzinfo=UTC), date(2027, 3, 28)),
    ],
)
def test_a_date_counts_from_the_very_moment_it_falls_due(now: datetime, newest: date) -> None:
    assert latest_due(now, NIGHT, "Europe/Paris") == newest


@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from([NIGHT, OBSERVATION]))
def test_the_newest_due_date_has_come_and_the_next_one_has_not(now: datetime, time_zone: str, at: time) -> None:
    newest = latest_due(now, at, time_zone)

    assert falls_due(newest, at, time_zone) <= now < falls_due(newest + timedelta(days=1), at, time_zone)


@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.sampled_from(ZONES))
def test_nights_follow_each_other_by_about_a_day_and_never_overlap(day: date, time_zone: str) -> None:
    gap = falls_due(day + timedelta(days=1), NIGHT, time_zone) - falls_due(day, NIGHT, time_zone)

    assert timedelta(hours=22) < gap < timedelta(hours=26)


def test_the_daily_look_at_xero_is_well_apart_from_the_night() -> None:
    day = date(2026, 11, 20)

    assert falls_due(day, NIGHT, "Europe/Paris") - falls_due(day, OBSERVATION, "Europe/Paris") == timedelta(hours=18)


@pytest.mark.parametrize(
    ("moment", "time_zone", "day"),
    [
        (datetime(2026, 7, 20, 22, 30, tzinfo=UTC), "Europe/Paris", date(2026, 7, 21)),
        (datetime(2026, 7, 20, 21, 59, tzinfo=UTC), "Europe/Paris", date(2026, 7, 20)),
        (datetime(2026, 1, 20, 22, 30, tzinfo=UTC), "Europe/Paris", date(2026, 1, 20)),
        (datetime(2026, 1, 20, 4, 0, tzinfo=UTC), "America/New_York", date(2026, 1, 19)),
    ],
)
def test_a_transaction_belongs_to_the_day_it_settled_where_the_organisation_is(
    moment: datetime, time_zone: str, day: date
) -> None:
    assert local_date(moment, time_zone) == day
