"""THREE NIGHTS in a world of our own: the first, one with misfortune, and a replay of both; then the proof."""

from __future__ import annotations

import time
from contextlib import ExitStack

from console import Screen
from demo.stage import company, organisation_without_euro, running_world
from demo.story import Story
from demo.verdict import Report, show

__all__ = ["Report", "run"]


def run(screen: Screen, seed: int, organisations: int, max_transactions: int) -> Report:
    """Live through three nights and show what came of them."""
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
        story = Story(screen, world, town, stack.enter_context(company(world, town[0])))
        report = story.live_through()
    report.seconds = round(time.monotonic() - started, 1)
    show(screen, report)
    return report
