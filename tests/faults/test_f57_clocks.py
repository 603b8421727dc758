"""F57: a clock is set while an answer is uncertain. In one process: no test can step PostgreSQL's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from playhouse.pool import PooledDatabase

from clients.http import Http
from models.database import close_connection, configure, connected
from models.database import database as proxy
from models.states import Lane
from scheduler.tick import tick
from services.request_sync import request_sync
from tests.acceptance import conftest as acceptance
from tests.acceptance.world import Office, World, spends

pytestmark = [pytest.mark.faults, pytest.mark.integration]

http, shared_world, world = acceptance.http, acceptance.shared_world, acceptance.world
postgres_template = acceptance.postgres_template

STEPS = {"an hour on": 60, "an hour back": -60, "ten minutes on": 10, "ten minutes back": -10}  # minutes
WATCHED = timedelta(minutes=12)  # in looks of 15 seconds: past Xero's memory and past the moment of proof
MOST_LOOKS = 200


@pytest.fixture(autouse=True)
def _ends_with_the_checker() -> None:
    """The office asks the same checker at its own end."""


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """PostgreSQL only: these rules have no other side."""
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def office(world: World, database_url: str, http: Http) -> Iterator[Office]:
    """Our own side, judged at its end by all but I8, which compares a time of ours with one of Xero's."""
    configure(database_url)
    try:
        with connected():
            made = Office(world, database_url, http)
            yield made
            problems = [text for one in made.companies for text in one.problems() if not text.startswith("I8:")]
            assert problems + world.end_faults() == []
    finally:
        close_connection()
        if isinstance(proxy.obj, PooledDatabase):
            proxy.obj.close_all()


@dataclass
class Clocks:
    """By how much the database's clock and the machine's are off."""

    office: Office
    database: timedelta = timedelta(0)
    machine: timedelta = timedelta(0)

    def now(self) -> datetime:
        """What the database says."""
        return self.office.world.now + self.database

    def look(self) -> None:
        """A scheduler that goes by the database's clock, and its messages worked on."""
        tick(self.now())
        while self.office.take_one_message():
            pass


@pytest.fixture
def clocks(office: Office) -> Iterator[Clocks]:
    """Two clocks, both right."""
    clocks = Clocks(office)
    world = office.world
    office.workbench = replace(office.workbench, clock=clocks.now, machine_clock=lambda: world.now + clocks.machine)
    yield clocks
    clocks.database = clocks.machine = timedelta(0)


@pytest.mark.fault(
    "F57", injected="the database's clock or the machine's set by 10 min or 1 h, answer lost", holds="I1 I2 I9 I10"
)
@pytest.mark.parametrize("when", ["before", "after"], ids=["absent", "present"])
@pytest.mark.parametrize("whose", ["database", "machine"])
@pytest.mark.parametrize("step", STEPS)
def test_no_clock_alone_makes_us_send_or_conclude(
    office: Office, clocks: Clocks, step: str, whose: str, when: str
) -> None:
    company = office.connected()
    company.moves(spends(100), spends(200))
    request_sync(company.connection, Lane.INTERACTIVE, "ada", clocks.now())
    office.world.fault("drop", when=when)
    clocks.look()
    assert company.states() == {"uncertain": 2}

    setattr(clocks, whose, timedelta(minutes=STEPS[step]))
    end = office.world.now + WATCHED
    while office.world.now < end:
        office.world.wait(seconds=15)
        clocks.look()
    _live_on(office, clocks)

    assert company.states() == {"posted": 2}
    assert len(company.rows()) == 2


def _live_on(office: Office, clocks: Clocks) -> None:
    for _ in range(MOST_LOOKS):
        if not office.open_runs():
            return
        office.world.wait(minutes=1)
        clocks.look()
    raise AssertionError(f"it does not end: {[(run.state, run.reason) for run in office.open_runs()]}")
