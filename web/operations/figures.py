"""What the page shows, read from the database at most once in ten seconds, however many look."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from clients.clock import Clock
from domain.night import newest_window
from models.database import connected
from services.view_night import NightView, view_night
from services.view_nights import Night, view_nights

FRESH_SECONDS = 10.0
PAST_SECONDS = 300.0  # former nights hardly change, and counting them costs thirty times as much

T = TypeVar("T")


@dataclass(frozen=True)
class Figures:
    """`nights` are the last month's, the newest last."""

    view: NightView
    nights: list[Night]


class Kept(Generic[T]):
    """A value that is made anew once it is `seconds` old. One thread makes it, and the others wait for that one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = Lock()
        self._made: tuple[float, object, T] | None = None

    def get(self, make: Callable[[], T], of: object = None) -> T:
        """The newest of this thing. Raises what making it raises, and then keeps nothing."""
        with self._lock:
            made = self._made
            if made is None or made[1] != of or time.monotonic() - made[0] >= self._seconds:
                self._made = None
                self._made = made = time.monotonic(), of, make()
            return made[2]


class Look:
    """One a process; any thread may ask."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: Kept[Figures] = Kept(FRESH_SECONDS)
        self._past: Kept[list[Night]] = Kept(PAST_SECONDS)

    def newest(self) -> Figures:
        """At most ten seconds old; former nights five minutes. Raises what an absent database raises."""
        return self._newest.get(self._read)

    def _read(self) -> Figures:
        with connected():
            now = self._clock()
            view = view_night(now)
            dates = view.tonight.local_dates if view.tonight else [newest_window("UTC", now).local_date]
            newest = dates[-1]
            tonight = view_nights(newest, (newest - dates[0]).days + 1)
            past = self._past.get(lambda: view_nights(newest), of=newest)
        return Figures(view, [*past[: -len(tonight)], *tonight])
