"""Time zones are those of the tzdata package, on every machine and whatever its system knows besides."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.calendar import booking_date, latest_due, local_date, next_night
from domain.time_zones import UnknownTimeZone, clock_of, is_known, time_zone

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONLY_HERE = "Mars/Olympus"
UNKNOWN = [
    "localtime",
    ONLY_HERE,
    "",
    "Europe",
    "../etc/localtime",
    "/etc/localtime",
    "europe/paris",
    "UTC\x00",
    "\ud83d",
]


@pytest.mark.parametrize("name", ["Europe/Paris", "Pacific/Auckland", "UTC", "Europe/Kyiv"])
def test_a_name_of_the_package_is_known(name: str) -> None:
    assert is_known(name)
    assert str(time_zone(name)) == name


@pytest.mark.parametrize("name", UNKNOWN)
def test_any_other_name_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnknownTimeZone) as refused:
        time_zone(name)
    assert repr(name) in str(refused.value)


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_zone_has_its_nights_by_utc_and_dates_no_booking(name: str) -> None:
    assert clock_of(name) is UTC
    assert latest_due(NOON, datetime.min.time().replace(hour=23), name) == datetime(2026, 11, 19, tzinfo=UTC).date()
    assert next_night(NOON, name) == datetime(2026, 11, 20, 23, tzinfo=UTC)
    assert local_date(NOON, name) == NOON.date()
    with pytest.raises(UnknownTimeZone):
        booking_date(NOON, name)


def test_a_zone_that_only_this_machine_has_is_unknown(tmp_path: Path) -> None:
    here = tmp_path / ONLY_HERE
    here.parent.mkdir()
    here.write_bytes(Path("/usr/share/zoneinfo/UTC").read_bytes() if Path("/usr/share/zoneinfo/UTC").exists() else b"")
    asked = f"from domain.time_zones import is_known; print(is_known({ONLY_HERE!r}), is_known('Europe/Paris'))"

    shown = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout.split() == ["False", "True"]
