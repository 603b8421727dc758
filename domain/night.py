"""A night as those who run it see it: since when, until when, how far, and when it will be over at this pace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.calendar import NIGHT, falls_due, latest_due

FINISHED_WITHIN = timedelta(minutes=30)  # what we promise: 99 of 100 are done at 23:30
ONE_IN = 50  # connections may break in a night without a cause that they share
PACE = timedelta(minutes=5)  # what was done lately tells how fast the rest will be


@dataclass(frozen=True)
class Window:
    """One time zone's newest night: its local date, its 23:00 and its 23:30."""

    time_zone: str
    local_date: date
    due_at: datetime
    deadline: datetime


class Standing(StrEnum):
    """How a night stands: is it done, and if not, will it be in time?"""

    UNOPENED = "unopened"  # no run of it is open yet
    DONE = "done"  # everybody is, but for the few who no longer let us in
    OVER = "over"  # nothing is left, and others failed, or too many let us in no longer
    BEGUN = "begun"  # too early to tell a pace
    ON_TIME = "on_time"  # at this pace it is done before its deadline
    LATE = "late"  # its deadline has passed, or comes before the end
    STUCK = "stuck"  # something is left, and nothing was done lately


def how_it_stands(
    now: datetime, deadline: datetime, projected_end: datetime | None, *, total: int, left: int, late: int, done: float
) -> Standing:
    """In a word, the worst of what is true. Of `total`, `left` are not over, and `late` of them past their deadline.

    `done` is what `share_done` says; `deadline` is the last one's.
    """
    if not total:
        return Standing.UNOPENED
    if not left:
        return Standing.DONE if done >= 1 else Standing.OVER
    if projected_end is None:
        has_begun = now - (deadline - FINISHED_WITHIN) <= PACE
        return Standing.BEGUN if has_begun and not late else Standing.STUCK
    return Standing.LATE if late or projected_end > deadline else Standing.ON_TIME


def share_done(total: int, done: int, broken: int) -> float:
    """The share of a night's organisations that are done; 1 of none.

    Those that failed because their connection broke are excused while they are one, or one in fifty: customers leave
    one by one, and nobody is woken for that. More at once have a cause that they share; then none is excused.
    """
    is_usual = broken <= max(1, total // ONE_IN)
    owed = total - broken if is_usual else total
    if not owed:
        return 0.0 if total else 1.0
    return done / owed


def window_of(time_zone: str, local_date: date) -> Window:
    """The night of a local date there."""
    due_at = falls_due(local_date, NIGHT, time_zone)
    return Window(time_zone, local_date, due_at, due_at + FINISHED_WITHIN)


def newest_window(time_zone: str, now: datetime) -> Window:
    """The night that fell due last there."""
    return window_of(time_zone, latest_due(now, NIGHT, time_zone))


def projected_end(
    now: datetime, due_at: datetime, left: int, endings: Iterable[tuple[datetime, int]]
) -> datetime | None:
    """When the rest will be done, at the pace of the last five minutes; `None` when nothing is left, or nothing moves.

    `endings` are (the minute, nights done in it).
    """
    since = max(due_at, now - PACE)
    lately = sum(count for minute, count in endings if minute >= since - timedelta(minutes=1))
    if not left or not lately or now <= since:
        return None
    return now + left * ((now - since) / lately)
