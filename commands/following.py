"""Follow a run until it ends, waits for a moment, or is taken up by no worker."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

from console import Screen
from domain.what_next import NO_SCHEDULER, RunStanding, clock_time, waits_for_a_moment
from models.heartbeat import SCHEDULER, is_silent, last_beat
from models.lease import held_until
from models.states import OPEN_RUN_STATES
from models.sync_run import SyncRun, open_run, run_ahead_of
from services.sync_organisation import sync_organisation
from services.workbench import Workbench

GLANCE_SECONDS = 0.1  # between two looks at a run
LINE_SECONDS = 1.0  # between two tries to take a lease that another process holds
QUIET_SECONDS = 5.0  # without progress, until the screen says what the run waits for
PATIENCE_SECONDS = 60.0  # for a worker to take the run up; one that is free needs about a second


@dataclass
class _Progress:
    """Since when nothing has happened to a run and no worker has held its organisation's lease."""

    seen: tuple[object, ...] = ()
    since: float = field(default_factory=time.monotonic)
    is_announced: bool = False

    def note(self, run: SyncRun, *, is_held: bool) -> None:
        """Begin to count again if the run has moved, or a worker holds the lease."""
        now = (run.state, run.turns, run.imported, run.posted)
        if is_held or now != self.seen:
            self.seen, self.since = now, time.monotonic()

    @property
    def quiet_seconds(self) -> float:
        return time.monotonic() - self.since


def follow(screen: Screen, run_id: int, workbench: Workbench, stop: Event, what: str, *, alone: bool) -> SyncRun:
    """Return the run as it is in the end, shown as `what` meanwhile.

    `alone`, without a broker, this process does the work, and first that of the organisation's runs that go before it.
    Else workers do, and the run is returned as it is once no worker has taken it up for a minute.
    """
    progress = _Progress()
    with screen.progress() as bar:
        task = bar.add_task(what, total=None)
        while True:
            if alone:
                _work(run_id, workbench, stop)
            run: SyncRun = SyncRun.get_by_id(run_id)
            bar.update(task, completed=run.posted, total=run.imported or None)
            if stop.is_set() or run.state not in OPEN_RUN_STATES or waits_for_a_moment(standing_of(run)):
                return run
            progress.note(run, is_held=not alone and bool(held_until(run.organisation_id, workbench.clock())))
            if not alone and progress.quiet_seconds > PATIENCE_SECONDS:
                screen.note(f"no worker took up run {run.id}: start `qonto-xero worker`; look at `qonto-xero status`")
                return run
            if progress.quiet_seconds > QUIET_SECONDS and not progress.is_announced:
                progress.is_announced = True
                screen.note(_what_it_waits_for(run, workbench, alone=alone))
            stop.wait(LINE_SECONDS if alone and run.state == "waiting" else GLANCE_SECONDS)


def standing_of(run: SyncRun) -> RunStanding:
    """Return what says what happens next to a run."""
    return RunStanding(run.state, run.code, run.wake_at)


def _work(run_id: int, workbench: Workbench, stop: Event) -> None:
    """Take one turn of the run, or of one that goes before it."""
    run = open_run(run_id)
    if run:
        sync_organisation(run_ahead_of(run, workbench.clock()) or run_id, workbench, stop.is_set)


def _what_it_waits_for(run: SyncRun, workbench: Workbench, *, alone: bool) -> str:
    now = workbench.clock()
    if alone:
        until = held_until(run.organisation_id, now) or now
        return f"another process works for this organisation; if it has died, this goes on at {clock_time(until, now)}"
    until = now + timedelta(seconds=PATIENCE_SECONDS - QUIET_SECONDS)
    waits = f"waiting until {clock_time(until, now)} for a worker to take up run {run.id}"
    return f"{waits}; {NO_SCHEDULER}" if is_silent(last_beat(SCHEDULER), now) else waits


def who_goes_on(workbench: Workbench) -> str:
    """Return a line that says whether what is due is done by itself; empty when it is."""
    now = workbench.clock()
    return (
        f"{NO_SCHEDULER[0].upper()}{NO_SCHEDULER[1:]}, and keep it running."
        if is_silent(last_beat(SCHEDULER), now)
        else ""
    )
