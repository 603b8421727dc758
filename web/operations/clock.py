"""On whose clock moments are told: that of everybody who has a night, if they agree, else UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from domain.night import Window
from domain.time_zones import clock_of as zone_of

ONE_WAVE = timedelta(hours=6)  # nights that begin further apart are not looked at together
SAME_DAY = timedelta(hours=12)  # within which a time of day needs no date beside it


@dataclass(frozen=True)
class Clock:
    """`name` is said once on the page, and holds for every time on it."""

    zone: tzinfo
    name: str

    def time(self, moment: datetime) -> str:
        """As `23:30`."""
        return f"{moment.astimezone(self.zone):%H:%M}"

    def seconds(self, moment: datetime) -> str:
        """As `23:30:05`."""
        return f"{moment.astimezone(self.zone):%H:%M:%S}"

    def near(self, moment: datetime, other: datetime) -> str:
        """As `23:30`, with its date where that is another night's."""
        local = moment.astimezone(self.zone)
        return self.time(moment) if abs(moment - other) < SAME_DAY else f"{local.day} {local:%B}, {local:%H:%M}"


def newest_wave(windows: Sequence[Window]) -> list[Window]:
    """The nights that began last, about together; not those of a country where it is not 23:00 yet."""
    newest = max(window.due_at for window in windows)
    return [window for window in windows if newest - window.due_at <= ONE_WAVE]


def clock_of(windows: Sequence[Window], now: datetime) -> Clock:
    """The clock that all these nights share, now and when they began; UTC if they share none."""
    zones = sorted({window.time_zone for window in windows})
    moments = [now, *(window.due_at for window in windows)]
    clocks = {tuple(moment.astimezone(zone_of(zone)).utcoffset() for moment in moments) for zone in zones}
    if len(clocks) != 1:
        return Clock(UTC, "UTC")
    local = zone_of(zones[0])
    name = zones[0] if len(zones) == 1 else f"{now.astimezone(local).tzname()}, in {len(zones)} time zones"
    return Clock(local, name)
