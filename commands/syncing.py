"""A sync that a person asks for, and how they watch it."""

from __future__ import annotations

import sys

import click

from commands.following import follow
from commands.frame import BROKEN, WHO, as_json, at_work, stop_on_signal, the_connection
from console import Screen
from logs import log_to_stderr
from messaging import Lane
from services.request_sync import request_sync
from services.view_connections import view_runs
from settings import IN_PROCESS


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
            follow(screen, run.id, workbench, stop, "sending", alone=alone)
        found = next(row for row in view_runs(the_connection(organisation), 100) if row["run"] == run.id)
        screen.rows("Sync", ["organisation", "state", "imported", "posted", "accounts_created", "reason"], [found])
        if (wait or alone) and found["state"] != "done":
            sys.exit(BROKEN)
