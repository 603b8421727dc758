"""Watch a run until it ends, or waits for a later moment."""

from __future__ import annotations

from threading import Event

from console import Screen
from models.states import OPEN_RUN_STATES
from models.sync_run import SyncRun
from services.sync_organisation import sync_organisation
from services.workbench import Workbench

GLANCE_SECONDS = 0.1  # between two looks at a run


def follow(screen: Screen, run_id: int, workbench: Workbench, stop: Event, what: str, *, alone: bool) -> SyncRun:
    """The run as it is in the end, shown as `what` meanwhile; `alone`, without a worker, work on it here too."""
    with screen.progress() as bar:
        task = bar.add_task(what, total=None)
        while True:
            if alone:
                sync_organisation(run_id, workbench, stop.is_set)
            run: SyncRun = SyncRun.get_by_id(run_id)
            bar.update(task, completed=run.posted, total=run.imported or None)
            if stop.is_set() or run.state not in OPEN_RUN_STATES or run.state == "waiting":
                return run
            stop.wait(GLANCE_SECONDS)
