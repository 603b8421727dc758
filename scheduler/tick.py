"""One turn of the scheduler: open the runs that have fallen due, and wake every open run whose time has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from domain.access import PROBE_EVERY
from domain.calendar import NIGHT, OBSERVATION, falls_due, latest_due
from models.authorisation import end_old_authorisations
from models.credential import delete_orphans
from models.database import transaction
from models.lost_messages import announce_lost, is_silent
from models.states import Lane, RunKind, RunState
from models.sync_run import Night, open_probes, open_runs, wake_runs, zones_in_use
from models.web_session import end_old_sessions
from services.sync_organisation import ACTOR

NIGHTS_BACK = 14  # missed nights that are written down as caught up; longer outages are one gap
ORPHANED = timedelta(hours=1)  # far longer than anybody takes from handing over a secret to connecting


@dataclass(frozen=True)
class Schedule:
    """A kind of run, and when on the organisation's own clock it falls due each day."""

    kind: RunKind
    at: time


SCHEDULES = (Schedule(RunKind.NIGHTLY, NIGHT), Schedule(RunKind.OBSERVATION, OBSERVATION))


@dataclass(frozen=True)
class Ticked:
    """How many runs were opened, and how many woken."""

    opened: int
    woken: int


def tick(now: datetime) -> Ticked:
    """Safe for any number of schedulers at once, and after any pause: a missed night is caught up, not skipped.

    For one process where a message that was sent and not received is lost.
    """
    return Ticked(open_due(now), wake(now) + resend(now, lambda _: 0))


def open_due(now: datetime) -> int:
    """Open the runs that have fallen due; how many. Looks at every connection."""
    return sum(_open(schedule, now) for schedule in SCHEDULES) + open_probes(PROBE_EVERY, now)


def wake(now: datetime) -> int:
    """Announce every open run whose time has come and return how many. Cheap."""
    return wake_runs(ACTOR, now)


def resend(now: datetime, queued: Callable[[Lane], int]) -> int:
    """Announce again what was announced five minutes ago and whose message is lost; return how many.

    `queued` returns how many messages wait in a lane's queue. It is asked only where a worker is overdue.
    """
    return sum(announce_lost(ACTOR, lane, queued(lane), now) for lane in Lane if is_silent(lane, now))


def tidy(now: datetime) -> None:
    """End what browsers began and nobody finished, and erase the secrets that belong to nothing any more."""
    end_old_sessions(now)
    end_old_authorisations(now)
    delete_orphans(now - ORPHANED)


def _open(schedule: Schedule, now: datetime) -> int:
    """The newest due date gets the run; dates missed before it are written down as caught up by it."""
    zones = zones_in_use()
    due = [_night(schedule, zone, now, 0) for zone in zones]
    with transaction():
        opened = open_runs(schedule.kind, Lane.NIGHTLY, RunState.DUE, due, now)
        if opened and schedule.kind == RunKind.NIGHTLY:
            missed = [_night(schedule, zone, now, back) for zone in zones for back in range(1, NIGHTS_BACK + 1)]
            open_runs(schedule.kind, Lane.NIGHTLY, RunState.CAUGHT_UP, missed, now)
    return opened


def _night(schedule: Schedule, zone: str, now: datetime, days_back: int) -> Night:
    local_date = latest_due(now, schedule.at, zone) - timedelta(days=days_back)
    return Night(zone, local_date, falls_due(local_date, schedule.at, zone))
