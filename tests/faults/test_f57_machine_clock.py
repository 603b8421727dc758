"""F57: a worker whose machine's clock is an hour off sends, its answer is lost, and another worker goes on."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.processes import PROGRAM, PUTS, Process, at, in_qonto, in_xero, payments
from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import LEASE, PROOF_AFTER, looks, sends
from tests.sandbox.world_client import WorldClient
from tests.servers.packages import find_or_install

pytestmark = [pytest.mark.faults, pytest.mark.integration]

DONE = "SELECT state FROM sync_run WHERE kind = 'manual'"
INSPECTED = """
    INSERT INTO sync_run (organisation_id, connection_id, kind, local_date, lane, state, reason, wake_at, wave,
                          turns, starts, failures, imported, posted, accounts_created, created_at)
    SELECT organisation_id, id, 'inspection', %s, 'nightly', 'done', '', now(), '', 0, 0, 0, 0, 0, 0, now()
    FROM connection
"""
SENT_BY = "SELECT extract(epoch FROM first_sent_machine - first_sent_at) FROM posting_batch"


@pytest.mark.fault(
    "F57", injected="a worker an hour ahead of the database, or behind it, dies uncertain", holds="I1 I2 I9 I10"
)
@pytest.mark.parametrize(("off", "writes"), [pytest.param(3600, 2, id="ahead"), pytest.param(-3600, 1, id="behind")])
def test_a_worker_with_a_wrong_clock_leaves_nothing_that_another_misreads(
    company: FaultyCompany, town: WorldClient, off: int, writes: int
) -> None:
    now = datetime.now(UTC)
    at(town, now.isoformat())
    party = town.organisation()
    party.pay(*payments(3))
    company.connect_at_once(party, since=f"{now - timedelta(days=1):%Y-%m-%dT%H:%M:%S}")
    company.query(INSPECTED, now.date())  # the night's sample would look at Xero, too, from 03:00 to 06:00 of our clock
    held = town.fault("hold", match=PUTS, when="after")
    company.keep_running("scheduler", "scheduler")
    worker = _with_clock_off(company, off)
    assert company.ask("sync", party.known["slug"], "--no-wait").code == 0
    town.wait_until_held(held)
    ((measured,),) = company.query(SENT_BY)
    assert abs(float(measured) - off) < 5, "the worker's clock was not off"
    worker.end(signal.SIGKILL)
    town.control("DELETE", f"/faults/{held}")

    town.advance(LEASE + 1)
    company.keep_running("worker", "worker")
    if off > 0:
        company.until(lambda: company.query(DONE) == [("done",)], "the other worker to send again")
    else:
        company.until(lambda: company.query(DONE) == [("waiting",)], "the other worker to wait")
        assert looks(town, party) == []
        town.advance(PROOF_AFTER)
        company.until(lambda: company.query(DONE) == [("done",)], "the other worker to look")

    assert len(sends(town, party)) == writes
    assert in_xero(party) == in_qonto(party)


def _with_clock_off(company: FaultyCompany, seconds: int) -> Process:
    """A worker that goes by PostgreSQL's clock, on a machine whose own clock is wrong by so much."""
    folder = company.folder / "clock-off"
    folder.mkdir()
    machine = {"LD_PRELOAD": str(_library()), "FAKETIME": f"{seconds:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    settings = company.environment(CLOCK_URL="", FAILPOINTS="")
    process = Process([PROGRAM, "worker"], env=settings | machine, folder=folder)
    company.processes.append(process)
    return process


def _library() -> Path:
    """What shows a process another clock. Installed if it is not there: a row that is skipped proves nothing."""
    return find_or_install("libfaketimeMT.so.1", places=["/usr/lib/*/faketime"], package="faketime")
