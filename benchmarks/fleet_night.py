"""(e) A night of a whole fleet at Xero's limit on all our calls, in virtual time, by the product's own rules of budget.

Only the world is made up here: how long calls and turns take, and how many threads there are. What may go out, and
when whoever was refused asks again, is what `domain/` says. One call at a time may lock the row that counts them all.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from domain.call_limits import NIGHT, XERO_APP_MINUTE
from domain.rate_window import Window
from scheduler.loop import WAKE_SECONDS
from services.app_share import GLANCE_SECONDS, MOST_GLANCES, PATIENCE

THREADS = 512  # 64 workers with 8 threads each
READ_SECONDS = 0.3
WRITE_SECONDS = 3.0
CALL_SECONDS = (READ_SECONDS, WRITE_SECONDS)  # the accounts, one batch
PREPARED = 1  # a run that is refused before it has made so many calls begins again
TURN_SECONDS = 0.02  # to take a message, the lease, and what else a turn costs before its first call
COUNT_SECONDS = 0.001  # for which a call holds the row of the app: 2 ms for a share of two or three
TICK_SECONDS = WAKE_SECONDS  # the scheduler looks for runs to wake
SEED = 1
MIDNIGHT = datetime(2026, 11, 20, 22, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """When the last organisation was done, the calls made, and the turns that ended because a call was refused."""

    organisations: int
    seconds: float
    calls: int
    refused_turns: int

    @property
    def ideal_seconds(self) -> float:
        """If no call were made twice, and as many a minute as Xero allows an app."""
        return self.organisations * len(CALL_SECONDS) / XERO_APP_MINUTE * 60

    @property
    def against_ideal(self) -> float:
        return self.seconds / self.ideal_seconds


@dataclass
class Fleet:
    """Messages in order, threads that take them, one budget. `_steps` are (moment, order, organisation, call)."""

    organisations: int
    app_minute: int = NIGHT.app_minute
    calls: int = 0
    refused: int = 0
    _window: Window = field(default_factory=Window)
    _counted_until: float = 0.0
    _steps: list[tuple[float, int, int, int]] = field(default_factory=list)
    _waiting: list[tuple[float, int, int]] = field(default_factory=list)
    _order: int = 0
    _glances: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    _random: Random = field(default_factory=lambda: Random(SEED))

    def live(self) -> Outcome:
        """The whole night."""
        ready: deque[tuple[int, int]] = deque((organisation, 0) for organisation in range(self.organisations))
        idle, now, next_tick, last = THREADS, 0.0, TICK_SECONDS, 0.0
        while ready or self._steps or self._waiting:
            while idle and ready:
                idle -= 1
                self._later(now + TURN_SECONDS, *ready.popleft())
            if not self._steps or next_tick <= self._steps[0][0]:
                now, next_tick = next_tick, next_tick + TICK_SECONDS
                self._wake(now, ready)
                continue
            now, _, organisation, call = heapq.heappop(self._steps)
            if call == len(CALL_SECONDS):
                last = max(last, now)
                idle += 1
            elif not self._ask(now, organisation, call):
                idle += 1
        return Outcome(self.organisations, last, self.calls, self.refused)

    def _ask(self, now: float, organisation: int, call: int) -> bool:
        """Whether its thread goes on: the call was allowed, or soon may be. If not, the run waits as it is told to."""
        counted = max(now, self._counted_until)
        self._counted_until = counted + COUNT_SECONDS
        moment = MIDNIGHT + timedelta(seconds=counted)
        if self._window.used(moment) < self.app_minute:
            self._window = self._window.with_calls(1, moment)
            self.calls += 1
            self._glances[organisation] = 0
            self._later(self._counted_until + CALL_SECONDS[call], organisation, call + 1)
            return True
        again = (self._window.opens_at(moment) - MIDNIGHT).total_seconds()
        if again - counted <= PATIENCE.total_seconds() and self._glances[organisation] < MOST_GLANCES:
            self._glances[organisation] += 1
            self._later(now + self._random.uniform(*GLANCE_SECONDS), organisation, call)
            return True
        self.refused += 1
        self._glances[organisation] = 0
        heapq.heappush(self._waiting, (again, organisation, call if call >= PREPARED else 0))
        return False

    def _wake(self, now: float, ready: deque[tuple[int, int]]) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            _, organisation, call = heapq.heappop(self._waiting)
            ready.append((organisation, call))

    def _later(self, moment: float, organisation: int, call: int) -> None:
        self._order += 1
        heapq.heappush(self._steps, (moment, self._order, organisation, call))
