"""23:00 on each organisation's own clock, computed per local date and never by adding 24 hours.

An organisation whose time zone is unknown has its nights by UTC, so that they are opened, and fail by name.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from domain.time_zones import clock_of
from domain.time_zones import time_zone as known_zone

NIGHT = time(23, 0)  # when the night's sync falls due, local time
OBSERVATION = time(5, 0)  # when the daily look at Xero falls due, local time, well apart from the night


def falls_due(local_date: date, at: time, time_zone: str) -> datetime:
    """The moment, in UTC, at which a local date's run falls due. In a gap of the clocks: when it would have been."""
    return datetime.combine(local_date, at, clock_of(time_zone)).astimezone(UTC)


def latest_due(now: datetime, at: time, time_zone: str) -> date:
    """The newest local date whose `at` has come."""
    today = now.astimezone(clock_of(time_zone)).date()
    return today if falls_due(today, at, time_zone) <= now else today - timedelta(days=1)


def local_date(moment: datetime, time_zone: str) -> date:
    """The calendar day of a moment where the organisation is, of its runs; by UTC where the zone is unknown."""
    return moment.astimezone(clock_of(time_zone)).date()


def booking_date(moment: datetime, time_zone: str) -> date:
    """Return the day that a transaction is booked on where the organisation is. Raises UnknownTimeZone."""
    return moment.astimezone(known_zone(time_zone)).date()


def next_night(now: datetime, time_zone: str) -> datetime:
    """The next 23:00 of an organisation's clock, told on that clock."""
    after = latest_due(now, NIGHT, time_zone) + timedelta(days=1)
    return falls_due(after, NIGHT, time_zone).astimezone(clock_of(time_zone))
