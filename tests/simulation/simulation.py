"""One seed: a small world, its misfortunes, then calm, and the questions at the end."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from models.lease import Lease, take_lease
from models.organisation import Connection
from models.posting import Posting
from models.states import ConnectionState, PostingState, RunKind
from models.sync_run import SyncRun, ask_for_run
from services.workbench import Workbench
from tests.simulation.baton import Baton
from tests.simulation.bench import make_base, make_bench, simulate_access
from tests.simulation.books import Settled, problems
from tests.simulation.clocks import BEGIN, Clocks
from tests.simulation.company import LOCKED, UNKNOWN, Company
from tests.simulation.fleet import Fleet, Machine
from tests.simulation.memory_database import MemoryDatabase, memory_database
from tests.simulation.network import SimHttp
from tests.simulation.quicker_peewee import render_columns_quicker
from tests.simulation.sim_xero import SimXero
from tests.simulation.timeline import Timeline, Violation
from tests.simulation.watch import Watch
from tests.simulation.weather import Weather

ON_ITS_WAY = (PostingState.DUE, PostingState.SENDING, PostingState.UNCERTAIN)
STORMS = (300.0, 800.0, 2000.0)  # how many seconds a seed's misfortunes last
MOST_ASKED = 5  # times that a person asks for a sync once everything is calm


@dataclass(frozen=True)
class Outcome:
    """What came of a seed: `violation` is empty when every promise was kept."""

    seed: int
    violation: str
    story: list[str] = field(repr=False, default_factory=list)


class Simulation:
    """Seeds one after the other, on one database in memory. Make it with `simulation()`."""

    def __init__(self, database: MemoryDatabase, patch: pytest.MonkeyPatch) -> None:
        self._database = database
        self._patch = patch
        self._baton = Baton()
        self._base = make_base()

        self.steps = 0  # of all seeds

    def run(self, seed: int, *, is_told: bool = False) -> Outcome:
        """The same seed is the same story, to the last step."""
        timeline = Timeline(seed, self._baton, is_told=is_told)
        self._database.empty()
        world = World(timeline, self._database, self._base)
        self._set_clock(timeline, world.clocks)
        simulate_access(self._patch, timeline, world.weather)
        try:
            world.live()
        except Violation:
            pass
        finally:
            for machine in world.fleet.machines:
                timeline.bury(machine.process)
        self.steps += timeline.steps
        return Outcome(seed, timeline.violation, timeline.story)

    def _set_clock(self, timeline: Timeline, clocks: Clocks) -> None:
        """Every module that asks how much time has passed asks the simulation."""
        for module in ("clients.clock", "clients.xero.client", "services.send_batches"):
            self._patch.setattr(f"{module}.steady_seconds", clocks.steady_seconds)
        self._patch.setattr("services.post_transactions.BATCH_ROWS", timeline.random.choice((1, 2, 3)))
        self._patch.setattr("clients.xero.bank_transactions.PAGE", timeline.random.choice((1, 2, 1000)))
        self._patch.setattr("services.send_batches.hit", lambda _: timeline.step())
        self._patch.setattr("services.sync_organisation.take_lease", _noting_fences(timeline))


def _noting_fences(timeline: Timeline) -> Callable[..., Lease | None]:
    def take(*args: Any) -> Lease | None:
        lease = take_lease(*args)
        if lease and timeline.baton.holder:
            timeline.tell(timeline.baton.holder.process.name, f"has the lease, fence {lease.fence}")
            timeline.baton.holder.fence = (lease.organisation_id, lease.fence)
        return lease

    return take


class World:
    """Everything of one seed."""

    def __init__(self, timeline: Timeline, database: MemoryDatabase, base: Workbench) -> None:
        self.timeline = timeline
        self._base = base
        self._raw = database.raw()
        self.random = timeline.random
        self.clocks = Clocks(timeline)
        self.weather = Weather.of(self.random)
        self.watch = Watch(timeline, database)
        self.xero = SimXero(timeline, self.weather, self.watch.ledger)
        self.http = SimHttp(timeline, self.weather, self.xero, self._qonto)
        self.http.on_leaving, self.http.on_answered = self.watch.on_leaving, self.watch.on_answered
        self.companies = [Company(n + 1, self.random) for n in range(self.random.choice((1, 1, 2)))]
        machines = [Machine(n + 1, self._new_bench) for n in range(self.random.randint(1, 4))]
        self.fleet = Fleet(timeline, self.weather, self.clocks, database, machines)
        database.before, database.before_commit = timeline.step, self.watch.before_commit
        self.is_prepared = self.random.random() < 0.8

    def live(self) -> None:
        """Faults, then calm; a person asks until nothing is on its way; then the questions."""
        self._settle_in()
        storm = self.random.choice(STORMS)
        self._plan(storm)
        self.timeline.after(storm, self._calm)
        self.timeline.run()
        for _ in range(MOST_ASKED):
            if self.timeline.violation or not (self._is_on_its_way() or self.random.random() < 0.2):
                break
            self._ask_all()
            self.timeline.run()
        if not self.timeline.violation:
            found = problems(self._settled(), self.watch.ledger)
            if found:
                self.timeline.violate("; ".join(found))

    def _is_on_its_way(self) -> bool:
        left = Posting.select().where(Posting.state.in_(ON_ITS_WAY)).exists()
        return bool(left or Posting.select().count() < len(self._settled()))

    def _settled(self) -> list[Settled]:
        return [one for company in self.companies for one in company.settled]

    def _settle_in(self) -> None:
        for company in self.companies:
            company.store(self._raw, with_postings=self.is_prepared)
            self.xero.accounts += company.accounts_in_xero()
            for one in company.settled:
                self._give_faults(one)
            self._ask(company, RunKind.NIGHTLY)

    def _give_faults(self, one: Settled) -> None:
        """Some transactions Xero does not like."""
        if self.random.random() < self.weather.refuse:
            self.xero.refusals[one.url] = self.random.choice((LOCKED, UNKNOWN))
        elif self.random.random() < self.weather.spoil:
            self.xero.spoils.add(one.url)
        elif self.random.random() < self.weather.race:
            self.xero.races.add(one.url)

    def _plan(self, storm: float) -> None:
        """What people do, and what clocks do, in the course of the seed."""
        if self.weather.set_clock:
            self.clocks.plan_errors([machine.name for machine in self.fleet.machines], storm)
        for company in self.companies:
            for kind in (RunKind.MANUAL, RunKind.OBSERVATION):
                if self.random.random() < 0.2:
                    self._later(storm, lambda c=company, k=kind: self._ask(c, k))  # type: ignore[misc]
            if self.random.random() < self.weather.repeat_message:
                run = self.random.randint(1, 2)
                self._later(storm, lambda r=run: self.fleet.deliver(r))  # type: ignore[misc]
        for _ in range(3):
            if self.random.random() < self.weather.delete:
                self._later(storm, self._delete)

    def _later(self, storm: float, what: Callable[[], None]) -> None:
        self.timeline.after(self.random.uniform(0, storm), what)

    def _delete(self) -> None:
        live = [row for row in self.xero.ledger.rows if not row.is_deleted]
        if live:
            self.xero.delete(self.random.choice(live))

    def _calm(self) -> None:
        self.timeline.tell("weather", "nothing goes wrong any more")
        self.weather.end()

    def _ask_all(self) -> None:
        Connection.update(state=ConnectionState.LIVE).execute()
        for company in self.companies:
            self._ask(company, RunKind.MANUAL)

    def _ask(self, company: Company, kind: RunKind) -> None:
        """A run is opened: by the scheduler, or by a person. Some need not be prepared, to be cheap."""
        now = self.clocks.database()
        connection = Connection.get_by_id(company.connection_id)
        run = ask_for_run(connection, kind, "nightly", BEGIN.date() + timedelta(days=1), now)
        if self.is_prepared:
            SyncRun.update(prepared_at=now).where(SyncRun.id == run.id).execute()
        self.timeline.tell("a person" if kind == RunKind.MANUAL else "scheduler", f"opens {kind} run {run.id}")
        self.fleet.look_soon()

    def _new_bench(self, machine: str) -> Workbench:
        return make_bench(self._base, machine, self.timeline, self.clocks, self.http)

    def _qonto(self, url: str, params: Any) -> bytes:
        parts = urlsplit(url)
        return next(one for one in self.companies if one.id == parts.netloc).qonto(parts.path, params)


@contextmanager
def simulation() -> Iterator[Simulation]:
    """Ready to run seeds; the product is as it was when this ends."""
    logging.disable(logging.CRITICAL)
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)  # a seed makes many objects and few cycles
    try:
        with memory_database() as database, pytest.MonkeyPatch.context() as patch:
            render_columns_quicker(patch)
            yield Simulation(database, patch)
    finally:
        gc.set_threshold(*thresholds)
        logging.disable(logging.NOTSET)
