"""A sync that a person asks for, and how they watch it."""

from __future__ import annotations

import sys
from threading import Event

import click

from commands.frame import BROKEN, WHO, as_json, at_work, stop_on_signal, the_connection
from console import Screen
from logs import log_to_stderr
from messaging import Lane
from models.states import OPEN_RUN_STATES
from models.sync_run import SyncRun
from services.request_sync import request_sync
from services.sync_organisation import sync_organisation
from services.view_connections import view_runs
from services.workbench import Workbench
from settings import IN_PROCESS

FOLLOW_SECONDS = 0.1  # between two looks at a run


@click.command()
@click.argument("organisation", metavar="ORG")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow the run until it ends.")
@WHO
@as_json
def sync(screen: Screen, organisation: str, wait: bool, who: str) -> None:
    """Sync ORG now. With a broker a worker does it; without one, this command does."""
    log_to_stderr(level=30)
    stop = stop_on_signal()
    with at_work() as (settings, workbench):
        run = request_sync(the_connection(organisation), Lane.INTERACTIVE, who, workbench.clock())
        alone = settings.broker_url == IN_PROCESS
        if wait or alone:
            _follow(screen, run.id, workbench, stop, alone=alone)
        found = next(row for row in view_runs(the_connection(organisation), 100) if row["run"] == run.id)
        screen.rows("Sync", ["organisation", "state", "imported", "posted", "accounts_created", "reason"], [found])
        if (wait or alone) and found["state"] != "done":
            sys.exit(BROKEN)


def _follow(screen: Screen, run_id: int, workbench: Workbench, stop: Event, *, alone: bool) -> None:
    """Show a run until it ends, or waits for a later moment; `alone`, work on it here too."""
    with screen.progress() as bar:
        task = bar.add_task("sending", total=None)
        while not stop.is_set():
            if alone:
                sync_organisation(run_id, workbench, stop.is_set)
            run = SyncRun.get_by_id(run_id)
            bar.update(task, completed=run.posted, total=run.imported or None)
            if run.state not in OPEN_RUN_STATES or run.state == "waiting":
                return
            stop.wait(FOLLOW_SECONDS)
