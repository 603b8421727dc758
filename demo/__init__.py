"""THREE NIGHTS in a world of our own: the first, one with misfortune, and a replay of both; then the proof."""

from __future__ import annotations

import time
from contextlib import ExitStack
from threading import Event

from console import Screen
from demo.stage import company, organisation_without_euro, running_world
from demo.story import Story
from demo.verdict import Report, show
from demo.visit import free_port, go_on

__all__ = ["Report", "run"]


def run(screen: Screen, seed: int, organisations: int, max_transactions: int, stay: Event | None = None) -> Report:
    """Live through three nights and show what came of them; then go on, with the page, until `stay` is set."""
    started = time.monotonic()
    with ExitStack() as stack:
        world = stack.enter_context(running_world())
        town = world.post(
            "/worlds",
            {
                "seed": seed,
                "organisations": organisations - 1,
                "max_accounts": 8,
                "max_transactions": max_transactions,
                "settled_within_hours": 12,
            },
        )["organisations"]
        town.append(organisation_without_euro(world))
        web_url = f"http://localhost:{free_port()}"
        workbench = stack.enter_context(company(world, town[0], web_url))
        report = Story(screen, world, town, workbench).live_through()
        report.seconds = round(time.monotonic() - started, 1)
        show(screen, report)
        if stay is not None:
            go_on(screen, world, workbench, web_url, stay)
    return report
