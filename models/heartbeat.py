"""Heartbeats: when the processes that everybody depends on last turned."""

from __future__ import annotations

from datetime import datetime, timedelta

from peewee import TextField

from models.database import Table, UtcField, read_moment
from models.statements import read, run

SCHEDULER = "scheduler"
BEAT_EVERY = timedelta(seconds=10)
SILENT_AFTER = timedelta(seconds=60)  # without a beat nothing of that kind is running; an outage of seconds is none

BEAT = """
    INSERT INTO heartbeat (process, beat_at) VALUES ({process}, {now})
    ON CONFLICT (process) DO UPDATE SET beat_at = {now}
"""
LAST = "SELECT beat_at FROM heartbeat WHERE process = {process}"


class Heartbeat(Table):
    """`process` is a kind of process, of which any number may run; `beat_at` is when one of them last turned."""

    process = TextField(primary_key=True)
    beat_at = UtcField()


def beat(process: str, now: datetime) -> None:
    """Store that a process of this kind is running."""
    run(BEAT, process=process, now=now)


def last_beat(process: str) -> datetime | None:
    """Return when a process of this kind last turned; `None` if none ever did."""
    found = read(LAST, process=process)
    moment: datetime | None = read_moment(found[0][0]) if found else None
    return moment


def is_silent(last: datetime | None, now: datetime) -> bool:
    """Whether that last beat is too old for such a process to be running."""
    return last is None or now - last > SILENT_AFTER
