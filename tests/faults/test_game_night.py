"""The game night: one night of many organisations in which everything happens, and every moment of it told truly."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.acceptance.processes import NIGHT, at, payments
from tests.faults.fast_clock import FastClock, standstill
from tests.faults.night_watch import Truth, Watch
from tests.faults.rig import FaultyCompany
from tests.sandbox.world_client import Party, WorldClient
from tests.servers.rabbitmq import RabbitmqServer
from tests.soak.town import found_organisations

pytestmark = [pytest.mark.faults, pytest.mark.integration, pytest.mark.timeout(3600)]

ORGANISATIONS, EACH = 300, 20
PACE = {"xero_write_latency": 1.6, "xero_read_latency": 0.1, "identity_latency": 0.1, "qonto_latency": 0.1}
POOL = ("worker 1", "worker 2", "worker 3")
THREADS = 8
STRUCK = 400  # calls at most, of each kind of failure: more than two minutes see
DONE = "SELECT count(*) FROM sync_run WHERE kind = 'nightly' AND state = 'done'"
AT_WORK = "SELECT count(*) FROM lease WHERE owner <> ''"


@pytest.fixture
def parties(company: FaultyCompany, town: WorldClient) -> Iterator[list[Party]]:
    """Many organisations with payments of this day, connected; the night has not begun, and Xero takes its time."""
    parties = found_organisations(town, company, ORGANISATIONS)
    company.lose_accounts_runs()
    for party in parties:
        party.pay(*payments(EACH))
    town.settings(**PACE)
    yield parties
    town.settings(**dict.fromkeys(PACE, 0.0))


def test_a_night_in_which_everything_happens_is_told_truly_at_every_moment(
    company: FaultyCompany, town: WorldClient, parties: list[Party], rabbitmq_server: RabbitmqServer
) -> None:
    clock, watch = FastClock(town), Watch.over(company, town, parties)

    def until(moment: str) -> None:
        clock.until(f"2026-11-20T{moment}:00Z", company.supervise)

    company.keep_running("scheduler", "scheduler")
    company.keep_running(POOL[0], "worker")
    at(town, NIGHT)
    clock.until_it_holds(lambda: done(company) > 0, "the first night to be done", company.supervise)
    with standstill(town):
        truth = watch.look()
        assert truth.leases == THREADS
        watch.assert_the_fleet_is_true(truth)
        watch.assert_each_call_is_counted()

    until("22:10")
    for name in POOL[1:]:
        company.keep_running(name, "worker")
    clock.until_it_holds(lambda: at_work(company) > 2 * THREADS, "three workers to be at work", company.supervise)
    with standstill(town):
        watch.assert_the_fleet_is_true(replay_all(company, watch))

    until("22:15")
    company.running("worker")[0].end(signal.SIGKILL)
    with standstill(town):
        truth = watch.look()
        assert truth.leases > 2 * THREADS, "those of the dead live on for 90 seconds"
        watch.assert_the_fleet_is_true(truth)

    until("22:20")
    with restarted(rabbitmq_server), standstill(town):
        watch.assert_the_fleet_is_true(replay_all(company, watch, broker=False))

    until("22:25")
    half_of_xero_s_answers_are_503(town)
    until("22:26")
    with standstill(town):
        truth = watch.look()
        assert truth.postings_that_are("uncertain")
        watch.assert_the_fleet_is_true(truth)
    until("22:27")
    town.control("DELETE", "/faults")

    clock.until_it_holds(lambda: done(company) == ORGANISATIONS, "every night to be done", company.supervise)
    with standstill(town):
        truth = watch.look()
        assert truth.books == watch.due
        watch.assert_the_fleet_is_true(truth)
    assert company.restarts == {POOL[0]: 1}


def done(company: FaultyCompany) -> int:
    return int(company.query(DONE)[0][0])


def at_work(company: FaultyCompany) -> int:
    return int(company.query(AT_WORK)[0][0])


@contextmanager
def restarted(rabbitmq_server: RabbitmqServer) -> Iterator[None]:
    """Shut down in order inside the block, up again after it."""
    rabbitmq_server.stop()
    try:
        yield
    finally:
        rabbitmq_server.start()


def replay_all(company: FaultyCompany, watch: Watch, *, broker: bool = True) -> Truth:
    """A person has every night done once more; those under way are left alone, all others are due again.

    What is true then.
    """
    before = watch.look(broker=broker)
    ran = company.ask("replay", "organisation", "--all", "--why", "the game night", "--yes-many", "--json")
    assert (ran.code, ran.json["done"]) == (0, before.states["done"]), ran.err
    after = watch.look(broker=broker)
    assert after.states["done"] == 0
    assert after.states["due"] == before.states["due"] + before.states["done"]
    return after


def half_of_xero_s_answers_are_503(town: WorldClient) -> None:
    """Of every four calls, one is refused before Xero works on it, and one after it has done all that was asked."""
    for number in range(1, STRUCK + 1):
        town.fault("status", match={"service": "xero"}, when="before", status=503, skip=3 * number, times=1)
        town.fault("status", match={"service": "xero"}, when="after", status=503, skip=2 * number, times=1)
