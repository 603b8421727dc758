"""F10 to F14: workers that die between two messages, freeze and come back, or are told to go."""

from __future__ import annotations

import signal
import time

import pytest

from domain.recovery import SEND_WITHIN
from models.lease import LEASE
from tests.acceptance.processes import NIGHT, PUTS, Broker, at, in_qonto, in_xero, puts
from tests.faults.rig import Failpoints, FaultyCompany, night_of, stopped_clock
from tests.sandbox.world_client import WorldClient
from tests.servers.processes import wait_until
from tests.servers.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.faults, pytest.mark.integration]

KILLED = -9
RECOVERY_SECONDS = 30
DRAIN_SECONDS = 60
PATIENCE_SECONDS = 3
TEN_MINUTES = 10 * 60
# AMQP: the method basic.publish to the default exchange, with this routing key.
PUBLISH_RETRY = b"\x00\x3c\x00\x28\x00\x00\x00\x0anightly.DQ"
WRITTEN = """
    SELECT (SELECT string_agg(posting_event::text, '' ORDER BY id) FROM posting_event),
           (SELECT string_agg(posting_batch::text, '' ORDER BY id) FROM posting_batch),
           (SELECT string_agg(posting::text, '' ORDER BY id) FROM posting),
           (SELECT string_agg(sync_run::text, '' ORDER BY id) FROM sync_run)
"""
OVERTAKEN = "was overtaken"


@pytest.mark.fault("F10", injected="kill -9 between the publishing of a retry and the ack", holds="I1 I16")
def test_killed_between_a_retry_and_its_ack(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints, broker_proxy: TcpProxy, broker: Broker
) -> None:
    night_of(company, town, 60)
    failpoints.arm("recv", "raise")
    broker_proxy.lose_reply(PUBLISH_RETRY, silently=True)  # so that it waits, and does not come to the ack
    company.start("scheduler")
    worker = company.start("worker")
    at(town, NIGHT)
    wait_until(lambda: broker_proxy.lost_replies == 1, seconds=RECOVERY_SECONDS, what="the retry to be published")
    worker.end(signal.SIGKILL)
    company.until(lambda: broker.waiting("nightly") == 1, "the message to come back beside its retry")
    assert broker.waiting("nightly.DQ") == 1

    failpoints.arm("preack", "sleep:30")  # the first of the two, so that the second is seen to come
    first = company.start("worker")
    company.until(lambda: failpoints.fired("preack"), "one of the two to be worked on")
    company.until_night_is_done()
    first.end(signal.SIGKILL)
    company.start("worker")
    company.until(lambda: broker.waiting("nightly") + broker.waiting("nightly.DQ") == 0, "both to be finished")

    assert company.query("SELECT count(*), sum(turns), sum(posted) FROM sync_run") == [(1, 1, 60)]
    assert len(puts(town)) == 2


@pytest.mark.fault("F11", injected="kill -9 of one worker of two in mid-request", holds="I1 I2 I12")
def test_one_worker_of_two_killed(company: FaultyCompany, town: WorldClient) -> None:
    parties = night_of(company, town, 40, 40, 40, 40)
    held = town.fault("hold", match=PUTS, when="before", times=2)
    company.start("scheduler")
    workers = [company.keep_running(name, "worker", "--threads", "1") for name in ("left", "right")]
    at(town, NIGHT)
    town.wait_until_held(held, 2)
    workers[0].end(signal.SIGKILL)
    with stopped_clock(town):
        town.control("POST", f"/faults/{held}/release")
        company.until(
            lambda: company.query("SELECT count(*) FROM sync_run WHERE state = 'done'") == [(3,)],
            "everybody else's night to be done, before any lease has run out",
        )
    assert company.restarts == {"left": 1}
    assert company.query("SELECT count(*), max(starts) FROM sync_run WHERE state = 'running'") == [(1, 1)]

    town.advance(LEASE.total_seconds())
    company.until_night_is_done(organisations=4)
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]
    assert company.query("SELECT max(fence), min(fence) FROM lease") == [(2, 1)]


@pytest.mark.fault("F12", injected="SIGSTOP for longer than the lease, then SIGCONT", holds="I1 I12")
def test_a_worker_that_was_frozen_writes_nothing_when_it_comes_back(company: FaultyCompany, town: WorldClient) -> None:
    night_of(company, town, 60)
    held = town.fault("hold", match=PUTS, when="after", times=2)
    company.start("scheduler")
    zombie = company.start("worker", "--threads", "1")  # its hands are full: it gets no other message
    at(town, NIGHT)
    town.wait_until_held(held, 2)
    zombie.signal(signal.SIGSTOP)
    town.control("POST", f"/faults/{held}/release")

    town.advance(LEASE.total_seconds())
    company.start("worker")
    company.until_night_is_done()
    written = company.query(WRITTEN)
    zombie.signal(signal.SIGCONT)
    company.until(lambda: OVERTAKEN in zombie.log(), "the zombie to see that it was overtaken")

    assert company.query(WRITTEN) == written
    assert zombie.log().count(OVERTAKEN) == 1
    assert company.query("SELECT fence, owner FROM lease") == [(2, "")]
    assert zombie.is_running()


@pytest.mark.fault("F12", injected="SIGSTOP before the first byte, for 10 minutes", holds="I1 I9 I10 I12")
def test_a_worker_that_was_frozen_before_it_sent_sends_nothing_when_it_comes_back(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints
) -> None:
    night_of(company, town, 40)
    failpoints.arm("presend", "sleep:20")
    company.start("scheduler")
    zombie = company.start("worker", "--threads", "1")  # its hands are full: it gets no other message
    at(town, NIGHT)
    company.until(lambda: failpoints.fired("presend"), "the worker to come to its request")
    zombie.signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    ((first_key,),) = company.query("SELECT key FROM posting_batch")

    town.advance(TEN_MINUTES)
    company.start("worker")
    company.until_night_is_done()
    assert first_key not in {put["key"] for put in puts(town)}, "it was sent again after ten minutes"
    written = company.query(WRITTEN)
    too_late = stopped_at + SEND_WITHIN.total_seconds() + 1
    company.until(lambda: time.monotonic() > too_late, "the zombie to be too late")
    zombie.signal(signal.SIGCONT)
    company.until(lambda: OVERTAKEN in zombie.log(), "the zombie to see that it was overtaken")

    assert len(puts(town)) == 1
    assert first_key not in {put["key"] for put in puts(town)}
    assert company.query(WRITTEN) == written


@pytest.mark.fault("F13", injected="SIGTERM in the middle of a run", holds="I2")
def test_a_worker_told_to_go_finishes_its_requests_and_begins_no_other(
    company: FaultyCompany, town: WorldClient
) -> None:
    night_of(company, town, 300, 300)
    slow = town.fault("hold", match=PUTS, when="before", times=8)
    company.start("scheduler")
    worker = company.start("worker")
    at(town, NIGHT)
    town.wait_until_held(slow, 8)

    worker.signal(signal.SIGTERM)
    town.control("POST", f"/faults/{slow}/release")
    assert company.until_ended(worker, DRAIN_SECONDS) == 0

    assert len(puts(town)) == 8
    states = "SELECT state, count(*) FROM posting GROUP BY state ORDER BY state"
    assert company.query(states) == [("due", 200), ("posted", 400)]
    assert company.query("SELECT DISTINCT owner FROM lease") == [("",)]

    company.start("worker")
    company.until_night_is_done(organisations=2)
    assert len(puts(town)) == 12


@pytest.mark.fault("F14", injected="a second SIGTERM, then the supervisor's kill -9", holds="I1 I2 I9")
def test_a_worker_out_of_patience(company: FaultyCompany, town: WorldClient) -> None:
    (party,) = night_of(company, town, 60)
    held = town.fault("hold", match=PUTS, when="after", times=2)
    company.start("scheduler")
    worker = company.start("worker")
    at(town, NIGHT)
    town.wait_until_held(held, 2)
    worker.signal(signal.SIGTERM)
    worker.signal(signal.SIGTERM)
    patience = time.monotonic() + PATIENCE_SECONDS
    company.until(lambda: not worker.is_running() or time.monotonic() > patience, "our patience to end")
    assert worker.is_running(), "it dropped its requests because it was told twice"
    worker.end(signal.SIGKILL)
    town.control("POST", f"/faults/{held}/release")

    town.advance(LEASE.total_seconds())
    company.start("worker")
    company.until_night_is_done()

    assert in_xero(party) == in_qonto(party)
    assert len(puts(town)) == 4
    assert len({put["key"] for put in puts(town)}) == 2
