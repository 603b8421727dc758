"""F1 to F4, F8, F9: a worker killed between two steps. What it wrote down stands, the next one does the rest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.lease import LEASE
from tests.acceptance.processes import NIGHT, Broker, at, puts
from tests.faults.rig import Aftermath, Failpoints, FaultyCompany, night_of, stopped_clock
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

KILLED = -9
MOMENT = timedelta(seconds=1)
TAKE_OVER = timedelta(seconds=5)  # of the world, after the lease has run out and with a worker that is ready
STARTED = "SELECT started_at FROM sync_run"
FENCES = "SELECT fence FROM lease"
BATCHES = "SELECT state, attempt, sends, key FROM posting_batch ORDER BY id"


@pytest.mark.fault("F1", injected="kill -9 after the message, before the lease", holds="I1 I2 I16")
def test_killed_after_the_message_before_the_lease(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints
) -> None:
    night_of(company, town, 60)
    failpoints.arm("recv", "kill")
    company.start("scheduler")
    worker = company.keep_running("worker", "worker")
    at(town, NIGHT)
    assert company.until_ended(worker) == KILLED
    assert company.query(FENCES) == [], "it had a lease already"

    company.until_night_is_done()

    assert company.restarts["worker"] == 1
    assert company.query("SELECT count(*), sum(turns) FROM sync_run") == [(1, 1)]
    assert len(puts(town)) == 2


@pytest.mark.fault("F2", injected="kill -9 after the lease was taken", holds="I2 I12")
def test_killed_with_the_lease_in_its_hand(company: FaultyCompany, town: WorldClient, failpoints: Failpoints) -> None:
    night_of(company, town, 60)
    failpoints.arm("leased", "kill")
    company.start("scheduler")
    worker = company.keep_running("worker", "worker")
    at(town, NIGHT)
    assert company.until_ended(worker) == KILLED
    ((fence, expires_at),) = company.query("SELECT fence, expires_at FROM lease")
    company.until(lambda: company.query("SELECT state FROM sync_run") == [("waiting",)], "the run to wait in line")
    assert company.query(FENCES) == [(fence,)], "a lease was taken over before its time"

    with stopped_clock(town, expires_at + MOMENT):
        company.until(lambda: company.query(FENCES) == [(fence + 1,)], "the lease to be taken over")
        company.until(lambda: company.query(STARTED) != [(None,)], "the next turn to begin")
    ((started_at,),) = company.query(STARTED)
    company.until_night_is_done()

    assert timedelta(0) <= started_at - expires_at <= TAKE_OVER
    assert company.query(FENCES) == [(fence + 1,)]


@pytest.mark.fault("F3", injected="kill -9 after the intent, before it is marked as being sent", holds="I1 I2 I8 I9")
def test_killed_with_a_request_frozen_and_not_yet_marked(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints
) -> None:
    night_of(company, town, 40)
    failpoints.arm("planned", "kill")
    company.start("scheduler")
    worker = company.keep_running("worker", "worker")
    at(town, NIGHT)
    assert company.until_ended(worker) == KILLED
    ((state, attempt, sends, key),) = company.query(BATCHES)
    assert (state, attempt, sends) == ("intended", 1, 0)

    town.advance(LEASE.total_seconds())
    company.until_night_is_done()

    assert [put["key"] for put in puts(town)] == [key]
    assert company.query(BATCHES) == [("resolved", 1, 1, key)]


@pytest.mark.fault("F4", injected="kill -9 after it is marked as being sent, before a byte leaves", holds="I1 I2 I9")
def test_killed_with_a_request_marked_and_not_yet_sent(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints
) -> None:
    night_of(company, town, 40)
    failpoints.arm("presend", "kill")
    company.start("scheduler")
    worker = company.keep_running("worker", "worker")
    at(town, NIGHT)
    assert company.until_ended(worker) == KILLED
    assert puts(town) == []
    ((state, attempt, sends, key),) = company.query(BATCHES)
    assert (state, attempt, sends) == ("sending", 1, 1)

    town.advance(LEASE.total_seconds())
    company.until_night_is_done()

    assert [put["key"] for put in puts(town)] == [key]
    assert company.query(BATCHES) == [("resolved", 1, 2, key)]


@pytest.mark.fault("F8", injected="kill -9 after the outcome; the next run reads Qonto again", holds="I1 I11 I21")
def test_killed_after_the_outcome_and_everything_read_once_more(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints, aftermath: Aftermath
) -> None:
    (party,) = night_of(company, town, 40)
    failpoints.arm("posted", "kill")
    company.start("scheduler")
    worker = company.keep_running("worker", "worker")
    at(town, NIGHT)
    assert company.until_ended(worker) == KILLED
    town.advance(LEASE.total_seconds())
    company.until_night_is_done()
    assert len(puts(town)) == 1

    reads = "service=qonto&path=/transactions$"
    before = len(town.requests_made(reads))
    again = company.run("sync", party.known["slug"])

    assert again.code == 0, again.out + again.err
    assert len(town.requests_made(reads)) > before
    assert len(puts(town)) == 1


@pytest.mark.fault("F9", injected="kill -9 after the turn, before the ack", holds="I1 I16")
def test_killed_after_its_work_before_the_ack(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints, broker: Broker
) -> None:
    night_of(company, town, 60)
    failpoints.arm("preack", "kill")
    company.start("scheduler")
    worker = company.start("worker")
    at(town, NIGHT)
    assert company.until_ended(worker) == KILLED
    assert company.query("SELECT state, turns FROM sync_run") == [("done", 1)]
    company.until(lambda: broker.waiting("nightly") == 1, "the message to come back")

    failpoints.arm("recv", "sleep:0")
    company.start("worker")
    company.until(lambda: failpoints.fired("recv"), "the message to come again")
    company.until(lambda: broker.waiting("nightly") == 0, "the message to be finished")

    assert company.query("SELECT count(*), sum(turns), sum(posted) FROM sync_run") == [(1, 1, 60)]
    assert company.query("SELECT fence, owner FROM lease") == [(1, "")]
    assert len(puts(town)) == 2
