"""(d) A night of many organisations, and what a big one costs the small ones; (f) what one big one takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from benchmarks.parties import connect, found, posted, settle
from benchmarks.patience import wait, wait_until_done, wait_until_listening
from benchmarks.process_costs import cpu_seconds, peak_megabytes
from benchmarks.progress import say
from benchmarks.stage import Stage
from tests.acceptance.processes import NIGHT, at
from tests.sandbox.world_client import Party

ROWS_OF_A_SMALL_ONE = 20
LEAP_SECONDS = 30.0
FINISHED = """
    SELECT organisation_id, finished_at FROM sync_run
    WHERE kind = 'nightly' AND state = 'done' AND organisation_id = ANY(%s)"""
AT_WORK = "SELECT count(*) FROM lease WHERE owner <> ''"
TO_DO = "SELECT count(*) FROM sync_run WHERE state = 'waiting' AND kind = 'nightly'"


def finish_seconds(stage: Stage, organisations: int, *, rows_beside: int = 0) -> list[float]:
    """For each small organisation, the seconds after 23:00 at which its run was done; the big one comes first."""
    with stage.show() as show:
        big = found(show.world, 1, prefix="Grand magasin") if rows_beside else []
        small = found(show.world, organisations)
        say(f"(d) connecting {len(big + small)} organisations")
        connect(show, big + small)
        _settle(big, rows_beside)
        _settle(small, ROWS_OF_A_SMALL_ONE)
        show.company.start("scheduler")
        worker = show.company.start("worker")
        wait_until_listening(show, "nightly")
        at(show.world, NIGHT)
        ids = [party.id for party in small]
        wait(lambda: len(show.company.query(FINISHED, ids)) == organisations, f"{organisations} runs to be done")
        if not worker.is_running():
            raise RuntimeError("the worker has ended")
        night = datetime.fromisoformat(NIGHT)
        return [(finished - night).total_seconds() for _, finished in show.company.query(FINISHED, ids)]


def _settle(parties: list[Party], rows: int) -> None:
    for party in parties:
        settle(party, rows)


@dataclass(frozen=True)
class Cost:
    """What the worker's process took."""

    cpu_seconds: float
    peak_megabytes: float


def cost_of_one(stage: Stage, rows: int) -> Cost:
    """A night of one organisation with so many rows; the clock leaps while everybody waits for Xero's limit."""
    with stage.show() as show:
        (party,) = found(show.world, 1)
        connect(show, [party])
        settle(party, rows)
        show.company.start("scheduler")
        worker = show.company.start("worker")
        wait_until_listening(show, "nightly")
        before = cpu_seconds(worker.pid)
        at(show.world, NIGHT)

        def leap() -> bool:
            if show.company.query(TO_DO) == [(1,)] and show.company.query(AT_WORK) == [(0,)]:
                show.world.advance(LEAP_SECONDS)
            return posted(show) >= rows

        say(f"(f) one organisation with {rows} transactions")
        wait(leap, f"{rows} transactions in Xero")
        wait_until_done(show.company, "nightly", 1)
        return Cost(cpu_seconds(worker.pid) - before, peak_megabytes(worker.pid))
