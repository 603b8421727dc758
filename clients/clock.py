"""What time it is: a steady clock that follows one reference, the database's clock or a sandbox's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock

import msgspec

from clients.decoding import decode
from clients.http import Http
from clients.steady import steady_seconds

Clock = Callable[[], datetime]


class SteadyClock:
    """The reference's time, asked anew at most every `refresh` and carried on by this machine's steady clock.

    While one thread asks anew, the others go on with what is known.
    """

    def __init__(self, reference: Clock, refresh: timedelta) -> None:
        self._reference = reference
        self._refresh_seconds = refresh.total_seconds()
        self._asked: tuple[datetime, float] | None = None
        self._asking = Lock()

    def __call__(self) -> datetime:
        told, at = self._asked or self._ask()
        if steady_seconds() - at > self._refresh_seconds and self._asking.acquire(blocking=False):
            try:
                told, at = self._ask()
            finally:
                self._asking.release()
        return told + timedelta(seconds=steady_seconds() - at)

    def _ask(self) -> tuple[datetime, float]:
        self._asked = (self._reference(), steady_seconds())
        return self._asked


def machine_time() -> datetime:
    """This machine's own clock, which its operator may set at any time."""
    return datetime.now(UTC)


class _Told(msgspec.Struct):
    now: datetime


def sandbox_time(http: Http, url: str) -> Clock:
    """The clock of a sandbox, whose URL is given, which a test or a demo can move."""

    def ask() -> datetime:
        return decode(http.call("GET", f"{url}/control/clock").body, _Told, "sandbox clock").now

    return ask
