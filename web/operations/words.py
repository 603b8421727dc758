"""Counts, spans and the headline in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from math import floor

from domain.night import Standing
from services.view_night import Tonight
from web.operations.clock import Clock

THIN = "\u202f"  # a space that breaks no line
MINUTE, HOUR, DAY = 60, 3_600, 86_400
SIGNS = {"good": "✓", "calm": "●", "bad": "!"}
BADGES = {
    Standing.UNOPENED: ("Not open", "calm"),
    Standing.DONE: ("Done", "good"),
    Standing.OVER: ("Over, not all done", "bad"),
    Standing.BEGUN: ("Just begun", "calm"),
    Standing.ON_TIME: ("On time", "good"),
    Standing.LATE: ("Late", "bad"),
    Standing.STUCK: ("Nothing moves", "bad"),
}


@dataclass(frozen=True)
class Headline:
    """Is it done? `mood` is `good`, `calm` or `bad`; `sign` says the same without a colour."""

    badge: str
    mood: str
    title: str
    lead: str

    @property
    def sign(self) -> str:
        return SIGNS[self.mood]


def number(count: int) -> str:
    """As `1 000`, with thin spaces."""
    return f"{count:,}".replace(",", THIN)


def counted(count: int, one: str) -> str:
    """As `1 organisation`, or `2 organisations`."""
    return f"{number(count)} {one if count == 1 else one + 's'}"


def share(ratio: float) -> str:
    """As `99.9 %`: not everything is never told as 100 %."""
    percent = floor(ratio * 1000 + 1e-6) / 10
    return f"{percent:.0f}{THIN}%" if percent in {0.0, 100.0} else f"{percent:.1f}{THIN}%"


def span(seconds: float) -> str:
    """As `45 s`, `12 min`, `3 h 5 min` or `2 days`."""
    whole = round(abs(seconds))
    if whole < MINUTE:
        return f"{whole}{THIN}s"
    if whole < HOUR:
        return f"{whole // MINUTE}{THIN}min"
    if whole < 2 * DAY:
        hours, minutes = divmod(whole // MINUTE, 60)
        return f"{hours}{THIN}h {minutes}{THIN}min" if minutes else f"{hours}{THIN}h"
    return f"{whole // DAY} days"


def day(local_date: date) -> str:
    """As `20 November`."""
    return f"{local_date.day} {local_date:%B}"


def short_day(local_date: date) -> str:
    """As `20 Nov`."""
    return f"{local_date.day} {local_date:%b}"


def headline(night: Tonight | None, now: datetime, clock: Clock) -> Headline:
    """Is the night done, and if not, will it be in time?"""
    if night is None:
        return Headline("No night", "calm", "No organisation is connected", "A night begins once one is.")
    standing = night.standing(now)
    badge, mood = BADGES[standing]
    title, lead = _title(night, standing), " ".join(filter(None, _lead(night, standing, now, clock)))
    if standing is Standing.DONE and _ended_late(night):
        badge = "Done, late"
    return Headline(badge, mood, title, lead)


def until_deadline(night: Tonight, now: datetime) -> str:
    """As `18 min left`, or `12 min ago`."""
    return _beside(night.deadline, now, "left", "ago")


def _title(night: Tonight, standing: Standing) -> str:
    if standing is Standing.UNOPENED:
        return "No night is open yet"
    if standing is Standing.DONE and night.done == night.total:
        return f"All {counted(night.done, 'organisation')} done" if night.done > 1 else "The one organisation is done"
    return f"{number(night.done)} of {counted(night.total, 'organisation')} done"


def _lead(night: Tonight, standing: Standing, now: datetime, clock: Clock) -> list[str]:
    match standing:
        case Standing.UNOPENED:
            return ["A scheduler opens the night at 23:00 for whoever connected before; within seconds, if one runs."]
        case Standing.DONE | Standing.OVER:
            return [_ended(night, clock), _failed(night, standing)]
        case Standing.BEGUN:
            return ["It is too early to tell how long it takes."]
        case Standing.STUCK:
            return ["None was done in the last five minutes.", _past(night, now), "See runbook 01, night is late."]
    return [_past(night, now), _projected(night, clock)]


def _ended(night: Tonight, clock: Clock) -> str:
    if not night.endings:
        return ""
    last = night.endings[-1][0]
    where = _beside(night.deadline, last, "before the deadline", "after the deadline")
    return f"The last one was done at {clock.near(last, night.deadline)}, {where}."


def _failed(night: Tonight, standing: Standing) -> str:
    if night.failed:
        why = "because they no longer let us in" if standing is Standing.DONE else "for the reasons below"
        return f"{number(night.failed)} failed, {why}."
    return ""


def _projected(night: Tonight, clock: Clock) -> str:
    if night.projected_end is None:
        return ""
    where = _beside(night.deadline, night.projected_end, "before the deadline", "after the deadline")
    return f"At this pace it is done at {clock.near(night.projected_end, night.deadline)}, {where}."


def _past(night: Tonight, now: datetime) -> str:
    if not night.late:
        return ""
    ago = f", which was {span((now - night.deadline).total_seconds())} ago" if now > night.deadline else ""
    return f"{number(night.late)} {'is' if night.late == 1 else 'are'} not done by 23:30{ago}."


def _ended_late(night: Tonight) -> bool:
    return bool(night.endings) and night.endings[-1][0] >= night.deadline


def _beside(fixed: datetime, moment: datetime, before: str, after: str) -> str:
    seconds = (fixed - moment).total_seconds()
    return f"{span(seconds)} {before if seconds >= 0 else after}"
