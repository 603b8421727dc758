"""(b) One big organisation at Xero's own pace: how many of the calls that a night may make are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmarks.parties import connect, found, settle
from benchmarks.patience import wait
from benchmarks.progress import say
from benchmarks.stage import Stage
from tests.acceptance.processes import NIGHT, at, puts

READ_SECONDS = 0.3
WRITE_SECONDS = 3.0
XERO_S_PACE = {
    "xero_write_latency": WRITE_SECONDS,
    "xero_read_latency": READ_SECONDS,
    "identity_latency": READ_SECONDS,
    "qonto_latency": READ_SECONDS,
}
BATCH_ROWS = 50
XERO_MINUTE = 60  # calls that Xero allows one organisation in a minute
SPARE_MINUTES = 2  # of rows, so that posting never ends while it is counted


@dataclass(frozen=True)
class Pace:
    """Over whole minutes, after the first: writes and all calls in a minute, and how many were answered with 429."""

    writes: float
    calls: float
    refused: int


def pace(stage: Stage, minutes: int) -> Pace:
    """Count what reaches Xero in so many whole minutes of real time."""
    with stage.show() as show:
        show.world.settings(**XERO_S_PACE)
        (party,) = found(show.world, 1)
        connect(show, [party])
        settle(party, (minutes + SPARE_MINUTES) * XERO_MINUTE * BATCH_ROWS)
        show.company.start("scheduler")
        show.company.start("worker")
        at(show.world, NIGHT)
        wait(lambda: bool(puts(show.world)), "the first write")
        first = datetime.fromisoformat(puts(show.world)[0]["time"]) + timedelta(minutes=1)
        last = first + timedelta(minutes=minutes)
        say(f"(b) the first write is out; counting until {last:%H:%M:%S} of the sandbox's clock")

        def now() -> datetime:
            return datetime.fromisoformat(show.world.control("GET", "/clock")["now"])

        wait(lambda: now() > last + timedelta(seconds=2 * WRITE_SECONDS), "the minutes to pass")
        made = show.world.requests_made(f"service=xero&tenant={party.tenant}")
        counted = [call for call in made if first <= datetime.fromisoformat(call["time"]) < last]
        writes = [call for call in counted if call["method"] == "PUT" and call["status"] == 200]
        refused = [call for call in made if call["status"] == 429]
        return Pace(len(writes) / minutes, len(counted) / minutes, len(refused))
