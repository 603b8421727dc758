"""Simulated days in minutes: the world's clock goes on when nobody is at work, and never while somebody is."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from tests.acceptance.processes import NIGHT_DATE, Company
from tests.faults.rig import NEXT_MOMENT, OPEN_WORK
from tests.soak.town import Town

LOOK_SECONDS = 0.2
STILL_SECONDS = 1.2
GATHER = timedelta(seconds=5)  # a leap goes so far past the next moment, for others that come soon after it
ENDED = """
    SELECT count(*) FROM sync_run WHERE kind = %s AND local_date = %s AND state IN ('done', 'failed', 'caught_up')"""
SIGNS = """
    SELECT (SELECT sum(fence) FROM lease), (SELECT max(id) FROM posting_event), (SELECT sum(turns) FROM sync_run),
           (SELECT count(*) FROM outbox_message WHERE sent_at IS NULL)"""
NIGHTLY, OBSERVATION = "nightly", "observation"


def evening_of(number: int) -> datetime:
    """21:00 in Paris on the so-manieth day."""
    return datetime.combine(_date_of(number), datetime.min.time(), UTC) + timedelta(hours=20)


def _date_of(number: int) -> date:
    return date.fromisoformat(NIGHT_DATE) + timedelta(days=number)


@dataclass
class Nights:
    """`between` is said in each look; `leash` is how far the clock may leap in all, while somebody is frozen."""

    town: Town
    company: Company
    organisations: int
    between: Callable[[], None]
    leash: Callable[[], bool]
    _seen: Any = None
    _since: float = field(default_factory=time.monotonic)

    def night(self, number: int, seconds: float, at_part: Callable[[float], None]) -> bool:
        """23:00 comes; whether all was quiet in time. `at_part` hears in each look what part of the runs has ended."""
        self.town.move_to(evening_of(number) + timedelta(hours=2))
        return self._through(NIGHTLY, _date_of(number), seconds, at_part)

    def morning(self, number: int, seconds: float) -> bool:
        """05:00 comes after that night; the same."""
        self.town.move_to(evening_of(number) + timedelta(hours=8))
        return self._through(OBSERVATION, _date_of(number + 1), seconds, lambda _: None)

    def _through(self, kind: str, day: date, seconds: float, at_part: Callable[[float], None]) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.between()
            with suppress(psycopg.OperationalError):
                ((ended,),) = self.company.query(ENDED, kind, day)
                at_part(ended / self.organisations)
                if ended >= self.organisations and self.company.query(OPEN_WORK) == [(0,)]:
                    return True
                if self._is_still():
                    self._leap()
            time.sleep(LOOK_SECONDS)
        return False

    def _is_still(self) -> bool:
        """Whether nothing has happened for a while; asked again after it said so, it starts anew."""
        now = time.monotonic()
        answered = self.town.control("GET", "/requests?limit=0")["last_id"]
        under_way = len(self.town.control("GET", "/requests/open")["requests"])
        seen = [self.company.query(SIGNS), answered, under_way]
        if seen != self._seen or under_way:
            self._seen, self._since = seen, now
        if now - self._since < STILL_SECONDS:
            return False
        self._since = now
        return True

    def _leap(self) -> None:
        if not self.leash():
            return
        now = self.town.now()
        ((moment,),) = self.company.query(NEXT_MOMENT, now)
        if moment:
            self.town.move_to(moment + GATHER)
