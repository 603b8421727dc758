"""The nights of the last month, each by how it went: in time, late, failed, not done, missed. Counts only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from domain.night import window_of
from models import fleet
from models.fleet import NightPart
from models.states import RunState

NIGHTS = 30  # over which we promise that 99 of 100 are done in time
A_DAY = timedelta(days=1)
OVER = {RunState.FAILED, RunState.CAUGHT_UP}


@dataclass(frozen=True)
class Night:
    """Organisations' nights of one local date. In time is by 23:30 of an organisation's own clock.

    A night that is done once more stays what it was. `open` are not over; `missed` had no worker before the next night
    came, which caught up on them.
    """

    local_date: date
    in_time: int = 0
    late: int = 0
    failed: int = 0
    open: int = 0
    missed: int = 0

    @property
    def total(self) -> int:
        return self.in_time + self.late + self.failed + self.open + self.missed


def view_nights(newest: date, nights: int = NIGHTS) -> list[Night]:
    """So many local dates up to the newest, the oldest first; a date without a night has no counts."""
    dates = [newest - back * A_DAY for back in reversed(range(nights))]
    in_time, late = _done(dates[0])
    rest = _not_done(fleet.night_parts(dates[0]))
    return [
        Night(
            local_date=day,
            in_time=in_time[day],
            late=late[day],
            failed=rest[day][RunState.FAILED],
            missed=rest[day][RunState.CAUGHT_UP],
            open=sum(count for state, count in rest[day].items() if state not in OVER),
        )
        for day in dates
    ]


def _done(since: date) -> tuple[Mapping[date, int], Mapping[date, int]]:
    """By local date, nights that were done in time, and late."""
    in_time: Counter[date] = Counter()
    late: Counter[date] = Counter()
    for zone, day, minute, count in fleet.night_endings(since):
        (in_time if minute < window_of(zone, day).deadline else late)[day] += count
    return in_time, late


def _not_done(parts: Iterable[NightPart]) -> Mapping[date, Counter[str]]:
    found: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for part in parts:
        if not part.is_done:
            found[part.local_date][part.state] += part.count
    return found
