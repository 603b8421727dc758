"""Every figure: what is measured for it, what it is called, and what it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks.account_events import idle_seconds, seconds_during_a_night
from benchmarks.allowed_calls import WRITE_SECONDS, XERO_MINUTE, XERO_S_PACE, Pace, pace
from benchmarks.due_at_once import Rush, rush
from benchmarks.figure import Figure, at_least, at_most, growth, percentile
from benchmarks.fleet_night import Fleet
from benchmarks.posting_speed import Lap, product_lap, race
from benchmarks.several_workers import SANDBOX, WORKERS, Night, Work, by_workers
from benchmarks.stage import Stage
from benchmarks.whole_night import Cost, cost_of_one, finish_seconds

NIGHT_CALLS = 55  # of Xero's 60 a minute: the rest is left to people who wait
ROUNDS = 3
LAPS = 5  # of each contender, in turns: a virtual machine is not as fast in one minute as in the next
ORGANISATIONS, EACH = 40, 500
DUE = 10_000
FLEET = 100_000
ONE_BIG = 20_000
NIGHT_ORGANISATIONS, SMALL = 300, 200
MINUTES = 3
ACCOUNTS = 100
PROCESSES = (1, 2, 4)
CROWD, CROWD_EACH = 60, 300
PATIENT, ONE_BATCH = 64, 50  # four workers with 8 threads each have two rounds of them

Measured = TypeVar("Measured")


@dataclass
class Bench:
    """Measures each thing once, at a `part` of the work: 1, or a tenth. `stage` gives the servers."""

    stage: Stage
    part: float = 1.0
    _known: dict[str, object] = field(default_factory=dict)

    def of(self, work: int, *, tenth: bool = False) -> int:
        """How much of the work is done now."""
        return max(1, round(work * self.part / (10 if tenth else 1)))

    def once(self, name: str, measure: Callable[[], Measured]) -> Measured:
        if name not in self._known:
            self._known[name] = measure()
        return self._known[name]  # type: ignore[return-value]

    def race(self) -> dict[str, Lap]:
        return self.once("race", lambda: race(self.stage, ORGANISATIONS, self.of(EACH), LAPS))

    def tenth_of_the_race(self) -> Lap:
        return self.once("tenth", lambda: product_lap(self.stage, ORGANISATIONS, self.of(EACH, tenth=True)))

    def rush(self, *, tenth: bool = False) -> Rush:
        return self.once(f"rush {tenth}", lambda: rush(self.stage, self.of(DUE, tenth=tenth), ROUNDS))

    def cost_of_one(self, *, tenth: bool = False) -> Cost:
        return self.once(f"one {tenth}", lambda: cost_of_one(self.stage, self.of(ONE_BIG, tenth=tenth)))

    def pace(self) -> Pace:
        return pace(self.stage, self.of(MINUTES))


def posting(bench: Bench) -> list[Figure]:
    """(a)"""
    product, plain, sdk = (bench.race()[name] for name in ("product", "requests", "sdk"))
    return [
        Figure("a", "Transactions posted by one worker", product.per_second, "/s"),
        Figure("a", "Transactions posted by a bare loop with requests", plain.per_second, "/s"),
        Figure("a", "Transactions posted by a bare loop with xero-python", sdk.per_second, "/s"),
        Figure(
            "a", "The worker against the loop with requests", product.per_second / plain.per_second, "x", at_least(0.6)
        ),
        Figure(
            "a", "The worker against the loop with xero-python", product.per_second / sdk.per_second, "x", at_least(1)
        ),
        Figure("a", "Processor time of the worker for 1,000", product.cpu_per_thousand, "s"),
        Figure("a", "Processor time of the loop with requests for 1,000", plain.cpu_per_thousand, "s"),
        Figure("a", "Processor time of the loop with xero-python for 1,000", sdk.cpu_per_thousand, "s"),
    ]


def allowed_calls(bench: Bench) -> list[Figure]:
    """(b)"""
    made = bench.pace()
    return [
        Figure("b", "Writes in a minute, one organisation, 3 s a write", made.writes, "/min"),
        Figure("b", "Share of the 55 calls that a night may make", 100 * made.writes / NIGHT_CALLS, "%", at_least(95)),
        Figure("b", "Share of the 60 calls that Xero allows", 100 * made.writes / XERO_MINUTE, "%"),
        Figure("b", "Calls that Xero refused with 429", made.refused, "", at_most(0)),
    ]


def due_at_once(bench: Bench) -> list[Figure]:
    """(c)"""
    done = bench.rush()
    what = f"From 23:00 to the last confirm, {bench.of(DUE):,} organisations"
    return [
        Figure("c", what, done.seconds, "s", at_most(5)),
        Figure("c", "Processor time of the scheduler for it", done.cpu_seconds, "s"),
    ]


def nights(bench: Bench) -> list[Figure]:
    """(d)"""
    many, small, big = bench.of(NIGHT_ORGANISATIONS), bench.of(SMALL), bench.of(ONE_BIG)
    whole = max(finish_seconds(bench.stage, many))
    alone = percentile(finish_seconds(bench.stage, small), 0.95)
    beside = percentile(finish_seconds(bench.stage, small, rows_beside=big), 0.95)
    return [
        Figure("d", f"A night of {many} organisations x 20 transactions", whole, "s"),
        Figure("d", f"95 of 100 of {small} small organisations are done after", alone, "s"),
        Figure("d", f"The same beside one of {big:,} transactions", beside, "s"),
        Figure("d", "Beside a big one against alone", beside / alone, "x", at_most(2)),
    ]


def fleet(bench: Bench) -> list[Figure]:
    """(e)"""
    night = Fleet(bench.of(FLEET)).live()
    name = f"A night of {bench.of(FLEET):,} organisations, in virtual time,"
    return [
        Figure("e", f"{name} ends after", night.seconds / 60, "min"),
        Figure("e", "Its end against 10,000 calls a minute", night.against_ideal, "x", at_most(1.1)),
        Figure(
            "e", "Turns that were refused a call, for each organisation", night.refused_turns / night.organisations, ""
        ),
    ]


def memory(bench: Bench) -> list[Figure]:
    """(f)"""
    rows, due = bench.of(ONE_BIG), bench.of(DUE)
    return [
        Figure(
            "f",
            f"Peak memory of a worker, {rows:,} transactions of one",
            bench.cost_of_one().peak_megabytes,
            "MiB",
            at_most(200),
        ),
        Figure(
            "f", f"Peak memory of a scheduler, {due:,} organisations", bench.rush().peak_megabytes, "MiB", at_most(150)
        ),
    ]


def tenfold(bench: Bench) -> list[Figure]:
    """(g)"""
    small, large = bench.tenth_of_the_race(), bench.race()["product"]
    few, many = bench.rush(tenth=True), bench.rush()
    light, heavy = bench.cost_of_one(tenth=True), bench.cost_of_one()
    exponents = {
        "Time of posting": growth(small.seconds, large.seconds),
        "Processor time of posting": growth(small.cpu_seconds, large.cpu_seconds),
        "Time until all are announced": growth(few.seconds, many.seconds),
        "Processor time of announcing": growth(few.cpu_seconds, many.cpu_seconds),
        "Processor time of posting, one organisation": growth(light.cpu_seconds, heavy.cpu_seconds),
        "Memory of a worker": growth(light.peak_megabytes, heavy.peak_megabytes),
        "Memory of a scheduler": growth(few.peak_megabytes, many.peak_megabytes),
    }
    return [
        Figure("g", f"{what}, as the work grows tenfold", exponent, "(exponent)", at_most(1.1))
        for what, exponent in exponents.items()
    ]


def account_events(bench: Bench) -> list[Figure]:
    """(h)"""
    organisations = bench.of(NIGHT_ORGANISATIONS)
    idle = idle_seconds(bench.stage, bench.of(ACCOUNTS))
    busy = seconds_during_a_night(bench.stage, organisations)
    beside = f"during a night of {organisations} organisations"
    return [
        Figure("h", "From an account's event to its account in Xero, half of them, idle", percentile(idle, 0.5), "s"),
        Figure("h", "The same, 99 of 100, idle", percentile(idle, 0.99), "s", at_most(5)),
        Figure("h", f"The same, half of them, {beside}", percentile(busy, 0.5), "s"),
        Figure("h", f"The same, 99 of 100, {beside}", percentile(busy, 0.99), "s", at_most(5)),
        Figure("h", f"Accounts opened {beside}", len(busy), ""),
    ]


def several_workers(bench: Bench) -> list[Figure]:
    """(i)"""
    crowd = Work(CROWD, bench.of(CROWD_EACH), latencies={})
    patient = Work(PATIENT, ONE_BATCH, XERO_S_PACE)
    quick = by_workers(bench.stage, PROCESSES, crowd, bench.of(ROUNDS))
    slow = by_workers(bench.stage, PROCESSES, patient, bench.of(ROUNDS))
    one, two, four = (quick[count] for count in PROCESSES)
    waiting_one, waiting_two, waiting_four = (slow[count].organisations_per_minute for count in PROCESSES)
    waits = f"Xero takes {WRITE_SECONDS:g} s"
    return [
        *(_speed(night, count) for count, night in quick.items()),
        Figure("i", "2 workers against 1", two.per_second / one.per_second, "x"),
        Figure("i", "4 workers against 1", four.per_second / one.per_second, "x"),
        *(_busy(night, count) for count, night in quick.items()),
        Figure("i", "Share of one core that the worker used, 1 worker", 100 * one.cores[WORKERS], "%"),
        Figure("i", "Share of one core that the sandbox used, 4 workers", 100 * four.cores[SANDBOX], "%"),
        *(_cost(one, kind, "1 worker") for kind in one.cost),
        *(_cost(four, kind, "4 workers") for kind in four.cost),
        *(
            Figure("i", f"Organisations a minute, {waits}, {_workers(count)}", night.organisations_per_minute, "/min")
            for count, night in slow.items()
        ),
        Figure("i", f"2 workers against 1, {waits}", waiting_two / waiting_one, "x", at_least(1.7)),
        Figure("i", f"4 workers against 1, {waits}", waiting_four / waiting_one, "x", at_least(3)),
        Figure("i", f"Share of all cores that was busy, {waits}, 4 workers", slow[4].busy_share, "%"),
    ]


def _workers(count: int) -> str:
    return f"{count} worker" if count == 1 else f"{count} workers"


def _speed(night: Night, count: int) -> Figure:
    return Figure("i", f"Transactions posted in a night by {_workers(count)}", night.per_second, "/s")


def _busy(night: Night, count: int) -> Figure:
    return Figure("i", f"Share of all cores that was busy, {_workers(count)}", night.busy_share, "%")


def _cost(night: Night, kind: str, served_by: str) -> Figure:
    return Figure("i", f"Processor time for 1,000, {served_by}: {kind}", night.per_thousand(kind), "s")


CATALOGUE: dict[str, Callable[[Bench], list[Figure]]] = {
    "a": posting,
    "b": allowed_calls,
    "c": due_at_once,
    "d": nights,
    "e": fleet,
    "f": memory,
    "g": tenfold,
    "h": account_events,
    "i": several_workers,
}
