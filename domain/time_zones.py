"""Time zones by the names of the tzdata package: every machine knows the same ones, whatever its system has."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, tzinfo
from functools import cache

zoneinfo.reset_tzpath(())  # only the package is read: a zone that one machine has, another may lack


class UnknownTimeZone(ValueError):
    """A name that is not a time zone of the tzdata package; the text quotes it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is not an IANA time zone such as Europe/Paris")


def is_known(name: str) -> bool:
    """Whether the tzdata package has a time zone of this name."""
    return name in _names()


def time_zone(name: str) -> tzinfo:
    """Return the time zone of this name. Raises UnknownTimeZone."""
    if not is_known(name):
        raise UnknownTimeZone(name)
    return zoneinfo.ZoneInfo(name)


def clock_of(name: str) -> tzinfo:
    """Return the time zone of this name, UTC where it is unknown: it says when to work, and never dates a booking."""
    return zoneinfo.ZoneInfo(name) if is_known(name) else UTC


@cache
def _names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
