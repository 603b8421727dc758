"""A night in minutes: a clock that runs fast, and moments at which everything stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.acceptance.processes import PUTS
from tests.sandbox.world_client import WorldClient
from tests.servers.processes import wait_until

SPEED = 20  # seconds of the night in each of ours; a lease of 90 still outlives a call of 2 of ours
STEP_SECONDS = 0.2  # of ours, between two pushes of the clock
MOST_SECONDS = 240  # of ours, for anything that the night goes on for
HELD_SECONDS = 20  # of ours, for which a call is held at most: less than we wait for its answer


@dataclass(frozen=True)
class FastClock:
    """The world's clock, pushed on while somebody waits for it."""

    town: WorldClient

    def until(self, moment: str, meanwhile: Callable[[], None]) -> None:
        """Let the night go on until that moment."""
        self.until_it_holds(lambda: now_in(self.town) >= datetime.fromisoformat(moment), f"{moment} to come", meanwhile)

    def until_it_holds(self, condition: Callable[[], bool], what: str, meanwhile: Callable[[], None]) -> None:
        """Let the night go on until `condition()` holds.

        A push is as long however late it comes: a machine that is slow for this test is slow for workers, and may not
        make their leases run out.
        """
        pushed_at = time.monotonic()

        def holds() -> bool:
            nonlocal pushed_at
            passed = time.monotonic() - pushed_at
            if passed < STEP_SECONDS:
                return False
            pushed_at = time.monotonic()
            self.town.advance(STEP_SECONDS * (SPEED - 1))
            meanwhile()
            return condition()

        wait_until(holds, seconds=MOST_SECONDS, what=what)


def now_in(town: WorldClient) -> datetime:
    """What time it is in the world."""
    return datetime.fromisoformat(town.control("GET", "/clock")["now"])


def under_way(town: WorldClient) -> list[dict[str, Any]]:
    """The requests in progress."""
    return list(town.control("GET", "/requests/open")["requests"])


@contextmanager
def standstill(town: WorldClient) -> Iterator[None]:
    """Inside the block the world's clock is stopped and our calls are held, transactions that we send before others."""
    town.control("POST", "/clock", {"frozen": True})
    faults = [town.fault("hold", match=PUTS, times=None)]
    try:
        wait_until(
            lambda: _holds(town, faults[0]) or not under_way(town),
            seconds=HELD_SECONDS,
            what="transactions to be held, if anything is sent",
        )
        faults.append(town.fault("hold", times=None))
        yield
    finally:
        for fault in faults:
            town.control("DELETE", f"/faults/{fault}")
        town.control("POST", "/clock", {"frozen": False})


def _holds(town: WorldClient, fault: str) -> bool:
    return bool(town.control("GET", f"/faults/{fault}")["holding"])
