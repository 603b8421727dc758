"""(i) An everyday night served by one, two and four worker processes: how much sooner it ends, and what bounds it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from benchmarks.parties import connect, found, posted, settle
from benchmarks.patience import wait, wait_until_announced, wait_until_done
from benchmarks.posting_speed import now, until_posted
from benchmarks.process_costs import busy_seconds, everybody, family_seconds
from benchmarks.progress import say
from benchmarks.stage import Show, Stage
from tests.acceptance.processes import NIGHT, Process, at
from tests.sandbox.world_client import Party

SANDBOX, WORKERS, SCHEDULER, REST = "sandbox", "workers", "scheduler", "everything else"
NEXT_DATE = "2026-11-21"
NEXT_MORNING = f"{NEXT_DATE}T04:00:00Z"  # 05:00 in Paris: what people did in Xero is looked at
NEXT_EVENING = f"{NEXT_DATE}T20:00:00Z"
NEXT_NIGHT = f"{NEXT_DATE}T22:00:00Z"
OPENED = "SELECT count(*) FROM sync_run WHERE kind = 'nightly' AND local_date = %s"


@dataclass(frozen=True)
class Reading:
    """Seconds so far: on the wall, of processors for each kind of process, and of all cores for whomever."""

    wall: float
    processes: Mapping[str, float]
    busy: float


@dataclass(frozen=True)
class Night:
    """`cost` is processor seconds, and `cores` how many were at work while it posted, both by kind of process."""

    organisations: int
    transactions: int
    seconds: float
    cost: Mapping[str, float]
    cores: Mapping[str, float]

    @property
    def per_second(self) -> float:
        """Transactions."""
        return self.transactions / self.seconds

    @property
    def organisations_per_minute(self) -> float:
        return self.organisations / self.seconds * 60

    @property
    def busy_share(self) -> float:
        """Of all cores of the machine, in percent."""
        return 100 * sum(self.cores.values()) / (os.cpu_count() or 1)

    def per_thousand(self, kind: str) -> float:
        """Processor seconds for 1,000 transactions."""
        return self.cost[kind] / self.transactions * 1000


@dataclass(frozen=True)
class Work:
    """What a night has to do; `latencies` are settings of the world, as it is from that night on."""

    organisations: int
    each: int
    latencies: Mapping[str, float]


def by_workers(stage: Stage, counts: Sequence[int], work: Work, laps: int) -> dict[int, Night]:
    """The median night of each count of worker processes, taken in turns so that all meet the same machine."""
    nights: dict[int, list[Night]] = {count: [] for count in counts}
    for lap in range(laps):
        for count, lived in nights.items():
            say(f"(i) {count} workers: {work.organisations} organisations x {work.each}, round {lap + 1} of {laps}")
            with stage.show() as show:
                lived.append(_night(show, count, work))
    return {count: middle(lived) for count, lived in nights.items()}


def _night(show: Show, count: int, work: Work) -> Night:
    """From the moment at which every message is published and the workers may begin."""
    parties = found(show.world, work.organisations)
    connect(show, parties)
    scheduler = show.company.start("scheduler")
    workers = [show.company.start("worker") for _ in range(count)]
    _live_until_the_next_evening(show, parties)
    for party in parties:
        settle(party, work.each, day=1)
    show.world.settings(**work.latencies)
    had, total = posted(show), work.organisations * work.each
    around = {name: [pid] for name, pid in show.pids.items()}
    everything = {**around, SCHEDULER: [scheduler.pid], WORKERS: [worker.pid for worker in workers]}

    evening = read(everything)
    with _held_back(workers):
        at(show.world, NEXT_NIGHT)
        wait(lambda: show.company.query(OPENED, NEXT_DATE) == [(work.organisations,)], "every run to be opened")
        wait_until_announced(show.company)
        began, before = now(show), read(everything)
    seconds = until_posted(show, began, had + total)
    after = read(everything)
    wait_until_done(show.company, "nightly", work.organisations, NEXT_DATE)
    cost = spent(evening, read(everything))
    wall = after.wall - before.wall
    cores = {kind: used / wall for kind, used in spent(before, after).items()}
    return Night(work.organisations, total, seconds, cost, cores)


def _live_until_the_next_evening(show: Show, parties: Sequence[Party]) -> None:
    """The accounts are made, and people's morning has been looked at, so that the next night is as most nights are."""
    at(show.world, NIGHT)
    wait_until_done(show.company, "nightly", len(parties))
    at(show.world, NEXT_MORNING)
    wait_until_done(show.company, "observation", len(parties), NEXT_DATE)
    at(show.world, NEXT_EVENING)


@contextmanager
def _held_back(workers: Sequence[Process]) -> Iterator[None]:
    """Inside the block they stand still."""
    for worker in workers:
        worker.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            worker.signal(signal.SIGCONT)


def read(kinds: Mapping[str, Sequence[int]]) -> Reading:
    """What the processes of each kind have cost so far, with whatever they started."""
    stats = everybody()
    processes = {kind: sum(family_seconds(stats, pid) for pid in pids) for kind, pids in kinds.items()}
    return Reading(time.monotonic(), processes, busy_seconds())


def spent(before: Reading, after: Reading) -> dict[str, float]:
    """Processor seconds between two readings, by kind; the rest is what the machine did besides, and who looked."""
    kinds = {kind: after.processes[kind] - seconds for kind, seconds in before.processes.items()}
    return {**kinds, REST: max(0.0, after.busy - before.busy - sum(kinds.values()))}


def middle(nights: Sequence[Night]) -> Night:
    """The median of each number by itself."""
    first = nights[0]
    return Night(
        first.organisations,
        first.transactions,
        median(night.seconds for night in nights),
        {kind: median(night.cost[kind] for night in nights) for kind in first.cost},
        {kind: median(night.cores[kind] for night in nights) for kind in first.cores},
    )
