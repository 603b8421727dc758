"""What happens next to a run that is not done, in one line for the person who looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.reasons import Broken, Waits

NO_SCHEDULER = "no scheduler is running: start `qonto-xero scheduler`"
OPEN = frozenset({"due", "running", "waiting"})


@dataclass(frozen=True)
class RunStanding:
    """A run's state, the code of its reason, and when it is looked at again."""

    state: str
    code: str
    wake_at: datetime


def waits_for_a_moment(run: RunStanding) -> bool:
    """Whether it waits for something other than another run of the same organisation."""
    return run.state == "waiting" and run.code != Waits.IN_LINE


def what_next(run: RunStanding, now: datetime, *, is_scheduled: bool) -> str:
    """Return what happens next, or what to do; empty when nothing is left. `is_scheduled`: a scheduler is running."""
    if run.state == "failed":
        is_broken = run.code in set(Broken)
        return "connect again: `qonto-xero connections add`" if is_broken else "ask again, or wait for the next night"
    if run.state not in OPEN:
        return ""
    goes_on = "goes on by itself" if is_scheduled else f"{NO_SCHEDULER}, or ask again"
    if waits_for_a_moment(run) and run.wake_at > now:
        return f"waits until {clock_time(run.wake_at, now)}, then {goes_on}"
    return goes_on


def clock_time(moment: datetime, now: datetime) -> str:
    """Return a moment in UTC, with its date unless that is today's."""
    return f"{moment:%H:%M:%S} UTC" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
