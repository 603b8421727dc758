"""23:00 on each organisation's own clock, computed per local date and never by adding 24 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NIGHT = time(23, 0)  # when the night's sync falls due, local time
OBSERVATION = time(5, 0)  # when the daily look at Xero falls due, local time, well apart from the night


def falls_due(local_date: date, at: time, time_zone: str) -> datetime:
    """The moment, in UTC, at which a local date's run falls due. In a gap of the clocks: when it would have been."""
    return datetime.combine(local_date, at, ZoneInfo(time_zone)).astimezone(UTC)


def latest_due(now: datetime, at: time, time_zone: str) -> date:
    """The newest local date whose `at` has come."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    return today if falls_due(today, at, time_zone) <= now else today - timedelta(days=1)


def local_date(moment: datetime, time_zone: str) -> date:
    """The calendar day of a moment where the organisation is."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def next_night(now: datetime, time_zone: str) -> datetime:
    """The next 23:00 of an organisation's clock, told on that clock."""
    after = latest_due(now, NIGHT, time_zone) + timedelta(days=1)
    return falls_due(after, NIGHT, time_zone).astimezone(ZoneInfo(time_zone))
