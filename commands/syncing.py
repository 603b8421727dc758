"""A sync, or a look at Xero, that a person asks for, and how they watch it."""

from __future__ import annotations

import logging
import sys
from threading import Event
from typing import Any

import click

from commands.following import follow
from commands.frame import BROKEN, WHO, WHY, as_json, at_work, start_log, stop_on_signal, the_connection
from console import Screen
from messaging import Lane
from models.states import RunState
from models.sync_run import SyncRun
from services.request_sync import request_sync
from services.verify_books import ask_to_verify
from services.view_connections import view_run
from services.workbench import Workbench
from settings import IN_PROCESS, Settings


@click.command()
@click.argument("organisation", metavar="ORG")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow the run until it ends.")
@WHO
@as_json
def sync(screen: Screen, organisation: str, wait: bool, who: str) -> None:
    """Sync ORG now. With a broker a worker does it; without one, this command does."""
    start_log(logging.WARNING)
    stop = stop_on_signal()
    with at_work() as (settings, workbench):
        run = request_sync(the_connection(organisation), Lane.INTERACTIVE, who, workbench.clock())
        ended = _followed(screen, run, settings, workbench, stop, "sending", wait=wait)
        columns = ["organisation", "state", "imported", "posted", "accounts_created", "reason", "next"]
        screen.rows("Sync", columns, [ended])
        if _is_waited_for(settings, wait=wait) and ended["state"] != RunState.DONE:
            sys.exit(BROKEN)


@click.command()
@click.argument("organisation", metavar="ORG")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow the run until it ends.")
@WHY
@WHO
@as_json
def verify(screen: Screen, organisation: str, wait: bool, why: str, who: str) -> None:
    """Hold our record of ORG against Xero, and mend the record. Nothing is created or changed in Xero.

    Everything of Qonto's is read again. What Xero has of it by our link is taken into the record, deleted or not; what
    people deleted there since is seen, surplus copies too. Nothing of ORG is sent before that is done. What Xero has
    more than once, what it lacks although we say that it is there, and what is there with our link and unknown here, is
    named, and then it exits with 1.
    """
    start_log(logging.WARNING)
    stop = stop_on_signal()
    with at_work() as (settings, workbench):
        run = ask_to_verify(the_connection(organisation), who, why, workbench.clock())
        ended = _followed(screen, run, settings, workbench, stop, "looking", wait=wait)
        told = ended | {"adopted": ended["posted"]}
        screen.rows("Verified", ["organisation", "state", "imported", "adopted", "reason", "next"], [told])
        if _is_waited_for(settings, wait=wait) and (ended["state"] != RunState.DONE or ended["reason"]):
            sys.exit(BROKEN)


def _followed(
    screen: Screen, run: SyncRun, settings: Settings, workbench: Workbench, stop: Event, what: str, *, wait: bool
) -> dict[str, Any]:
    """The run as it is in the end, or, if nobody waits, as it is now."""
    if _is_waited_for(settings, wait=wait):
        follow(screen, run.id, workbench, stop, what, alone=settings.broker_url == IN_PROCESS)
    return view_run(run.id, workbench.clock())


def _is_waited_for(settings: Settings, *, wait: bool) -> bool:
    """Without a broker nobody else would do it."""
    return wait or settings.broker_url == IN_PROCESS
