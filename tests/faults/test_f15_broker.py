"""F15 to F21: the broker dies, fills up, loses its queues or its word, or is there for one side only."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest

from messaging.addresses import DEFAULTS
from messaging.broker import TIME_LIMIT
from models.sync_run import SILENCE
from services.job import TURN_SECONDS
from tests.acceptance.processes import NIGHT, PUTS, Broker, at, in_qonto, in_xero, payments, puts
from tests.faults.rig import Failpoints, FaultyCompany, night_of
from tests.sandbox.world_client import Party, WorldClient
from tests.servers.processes import wait_until
from tests.servers.rabbitmq import RabbitmqServer
from tests.servers.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.faults, pytest.mark.integration]

NEXT_NIGHT, NEXT_NIGHT_DATE = "2026-11-21T22:00:00Z", "2026-11-21"
OBSERVATION = "2026-11-21T04:00:00Z"  # 05:00 in Paris
DRAIN_SECONDS = 60
BLOCKED_SECONDS = 25  # the publisher's deadline of 20, and a scheduler's turn
DETECTION_SECONDS = 10 * int(DEFAULTS["heartbeat"])  # RabbitMQ gives up at the second silence; longer ends a hang
CONSUMER_TIMEOUT = timedelta(minutes=30)  # RabbitMQ's default
UNSENT = "SELECT count(*) FROM outbox_message WHERE sent_at IS NULL"
RUNS = "SELECT count(*) FROM sync_run"
DONE = "SELECT count(*) FROM sync_run WHERE state = 'done'"
SILENCED = """
    SELECT count(*) FROM sync_run JOIN outbox_message ON arguments = '{"run_id": ' || sync_run.id || '}'
    WHERE state = 'due' AND sent_at IS NOT NULL
"""
PUBLISH = b"\x00\x3c\x00\x28\x00\x00\x00\x07nightly"  # AMQP's basic.publish to the default exchange


def after_a_night(company: FaultyCompany, town: WorldClient, organisations: int) -> list[Party]:
    """Organisations with a day behind them and 60 new payments each; its queues have settled.

    The scheduler alone goes by the company's proxies. A queue whose broker is killed in its first second may stay
    without a leader.
    """
    parties = night_of(company, town, *[1] * organisations)
    company.keep_running("scheduler", "scheduler")
    company.routes.clear()
    company.keep_running("worker", "worker")
    at(town, NIGHT)
    company.until_night_is_done(organisations=organisations)
    at(town, OBSERVATION)
    company.until(lambda: company.query(DONE) == [(2 * organisations,)], "what people did in Xero to be seen")
    for party in parties:
        party.pay(*payments(60))
    return parties


def assert_next_night_was_written_once(town: WorldClient, parties: list[Party]) -> None:
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]
    assert len(puts(town)) == 3 * len(parties), "one request in the first night, two in the next"


@pytest.mark.fault(
    "F15", injected="broker kill -9 between the announcement of a night and its confirm", holds="I16 I23"
)
def test_a_broker_killed_before_it_confirms(
    company: FaultyCompany, town: WorldClient, rabbitmq_server: RabbitmqServer, broker_proxy: TcpProxy
) -> None:
    parties = after_a_night(company, town, 3)
    (scheduler,) = company.running("scheduler")
    broker_proxy.lose_reply(PUBLISH, silently=True)
    at(town, NEXT_NIGHT)
    wait_until(lambda: broker_proxy.lost_replies == 1, seconds=DRAIN_SECONDS, what="the night to be announced")
    with rabbitmq_server.outage():
        company.until(lambda: company.query(UNSENT) == [(3,)], "everything to be unsent")
    company.until_night_is_done(NEXT_NIGHT_DATE, 3)

    assert_next_night_was_written_once(town, parties)
    company.until(lambda: company.query(UNSENT) == [(0,)], "the outbox to be empty")
    assert scheduler.is_running()


@pytest.mark.fault("F16", injected="no broker for 5 minutes at 23:00", holds="I2 I16 I23")
def test_no_broker_when_the_night_falls_due(
    company: FaultyCompany, town: WorldClient, rabbitmq_server: RabbitmqServer
) -> None:
    parties = after_a_night(company, town, 3)
    (scheduler,) = company.running("scheduler")
    with rabbitmq_server.outage():
        at(town, NEXT_NIGHT)
        company.until(lambda: company.query(UNSENT) == [(3,)], "the night to wait in the outbox")
        town.advance(SILENCE.total_seconds() + 1)
        company.until(lambda: "cannot count at RabbitMQ" in scheduler.log(), "the scheduler to look for lost messages")
        assert company.query(UNSENT) == [(3,)]
    company.until(lambda: company.query(UNSENT) == [(0,)], "the outbox to be drained", seconds=DRAIN_SECONDS)
    company.until_night_is_done(NEXT_NIGHT_DATE, 3)

    assert_next_night_was_written_once(town, parties)
    assert company.query(RUNS) == [(9,)]
    assert scheduler.is_running()


@pytest.mark.parametrize("how", ["purge", "delete"])
@pytest.mark.fault("F17", injected="every queue purged, or deleted, in mid-night", holds="I2 I16 I23")
def test_queues_without_their_messages(company: FaultyCompany, town: WorldClient, broker: Broker, how: str) -> None:
    parties = night_of(company, town, 60, 60, 60)
    held = town.fault("hold", match=PUTS, when="before", times=2)
    company.start("scheduler")
    company.keep_running("worker", "worker", "--threads", "1")
    at(town, NIGHT)
    town.wait_until_held(held, 2)
    company.until(lambda: broker.waiting("nightly") == 2, "the others to wait in the queue")

    getattr(broker, how)()
    town.control("POST", f"/faults/{held}/release")
    town.wait_until(lambda: len(puts(town)) == 2)
    town.advance(SILENCE.total_seconds())
    company.until_night_is_done(organisations=3)

    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]
    assert len(puts(town)) == 6


@pytest.mark.fault("F18", injected="the broker's disk alarm, on when the night falls due", holds="I1 I2 I16")
def test_a_broker_that_blocks_publishers(
    company: FaultyCompany, town: WorldClient, rabbitmq_server: RabbitmqServer
) -> None:
    parties = after_a_night(company, town, 2)
    (scheduler,) = company.running("scheduler")
    rabbitmq_server.set_disk_alarm(True)
    try:
        at(town, NEXT_NIGHT)
        company.until(
            lambda: "blocks publishers" in scheduler.log(), "the scheduler to say so", seconds=BLOCKED_SECONDS
        )
        listed = company.run("runs", "--json")
        assert listed.code == 0
        assert {run["state"] for run in listed.json} == {"done", "due"}
    finally:
        rabbitmq_server.set_disk_alarm(False)
    company.until_night_is_done(NEXT_NIGHT_DATE, 2)

    assert_next_night_was_written_once(town, parties)
    assert company.query(RUNS) == [(6,)]
    assert scheduler.is_running()


@pytest.mark.fault("F19", injected="the publisher's confirm lost: everything is published twice", holds="I1 I16")
def test_a_confirm_that_never_came(
    company: FaultyCompany, town: WorldClient, broker_proxy: TcpProxy, broker: Broker
) -> None:
    parties = after_a_night(company, town, 1)
    company.stop("worker")
    broker_proxy.lose_reply(PUBLISH)
    at(town, NEXT_NIGHT)
    company.until(lambda: broker.waiting("nightly") == 2, "the night to be published twice")
    assert broker_proxy.lost_replies == 1

    company.keep_running("worker", "worker")
    company.until_night_is_done(NEXT_NIGHT_DATE)
    company.until(lambda: broker.waiting("nightly") == 0, "every copy to be taken")

    assert company.query(RUNS) == [(3,)]
    assert_next_night_was_written_once(town, parties)


@pytest.mark.fault(
    "F20", injected="the worker's connection to the broker stalled, half open, both ways", holds="I1 I2 I12"
)
def test_a_broker_that_hears_and_says_nothing(
    company: FaultyCompany, town: WorldClient, broker_proxy: TcpProxy
) -> None:
    parties = night_of(company, town, 60, 60)
    held = town.fault("hold", match=PUTS, when="before", times=4)
    cut_off = company.start("worker")
    company.routes.clear()
    company.start("scheduler")
    at(town, NIGHT)
    town.wait_until_held(held, 4)
    with broker_proxy.stall():
        town.control("POST", f"/faults/{held}/release")
        company.until_night_is_done(organisations=2)
        at(town, OBSERVATION)
        company.until(lambda: company.query(SILENCED) == [(2,)], "what is due next to be said into the silence")
        company.start("worker")
        company.until(
            lambda: company.query(DONE) == [(4,)],
            "the other worker to get what the silence swallowed",
            seconds=DETECTION_SECONDS,
        )
        company.running("worker")[-1].end(signal.SIGTERM)
    for party in parties:
        party.pay(*payments(10))
    at(town, NEXT_NIGHT)
    company.until_night_is_done(NEXT_NIGHT_DATE, 2)

    assert company.running("worker") == [cut_off], "the one that was cut off should be the one at work"
    assert company.query("SELECT max(turns) FROM sync_run") == [(1,)]
    assert len(puts(town)) == 6


@pytest.fixture
def impatient_broker(rabbitmq_server: RabbitmqServer) -> Iterator[None]:
    """RabbitMQ takes a message back after two seconds without an ack; new channels have it so."""
    was = {"consumer_timeout": 1_800_000, "channel_tick_interval": 60_000}
    for name, milliseconds in {"consumer_timeout": 2_000, "channel_tick_interval": 500}.items():
        rabbitmq_server.ctl("eval", f"application:set_env(rabbit, {name}, {milliseconds}).")
    yield
    for name, milliseconds in was.items():
        rabbitmq_server.ctl("eval", f"application:set_env(rabbit, {name}, {milliseconds}).")


@pytest.mark.usefixtures("impatient_broker")
@pytest.mark.fault("F21", injected="RabbitMQ's consumer_timeout hit in mid-request", holds="I1 I12 I16")
def test_a_message_taken_back_while_it_is_worked_on(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints
) -> None:
    night_of(company, town, 40)
    held = town.fault("hold", match=PUTS, when="before")
    company.start("scheduler")
    worker = company.start("worker")
    at(town, NIGHT)
    town.wait_until_held(held)
    failpoints.arm("recv", "sleep:0")
    company.until(lambda: failpoints.fired("recv"), "the message to be delivered a second time")
    assert company.query("SELECT fence FROM lease") == [(1,)]

    town.control("POST", f"/faults/{held}/release")
    company.until_night_is_done()

    assert company.query("SELECT turns, starts FROM sync_run") == [(1, 0)]
    assert company.query("SELECT fence, owner FROM lease") == [(1, "")]
    assert len(puts(town)) == 1
    assert worker.is_running()


@pytest.mark.fault("F21", injected="a turn's own limits against RabbitMQ's default", holds="I24")
def test_a_turn_ends_long_before_its_message_is_taken_back(company: FaultyCompany) -> None:
    assert timedelta(seconds=TURN_SECONDS) < TIME_LIMIT <= timedelta(minutes=10) < CONSUMER_TIMEOUT / 2
