"""Workers are told to stop, queues vanish, servers die: the night ends, nothing lost and nothing twice."""

from __future__ import annotations

import signal

import pytest

from domain.bank_transaction import BATCH_ROWS
from domain.call_limits import IN_PROGRESS
from tests.acceptance import processes
from tests.acceptance.processes import NIGHT, PUTS, Broker, Company, at, in_qonto, in_xero, payments, puts
from tests.sandbox.world_client import Party, WorldClient
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

town_url, town = processes.town_url, processes.town
migrated, company, broker = processes.migrated, processes.company, processes.broker

ORGANISATIONS = 3
NEXT_NIGHT, NEXT_NIGHT_DATE = "2026-11-21T22:00:00Z", "2026-11-21"
SILENCE = 5 * 60  # seconds after which an open run that nobody works on is announced again
CERTAINTY = 7 * 60  # seconds after which Xero can be asked what became of a request
UNSENT = "SELECT count(*) FROM outbox_message WHERE sent_at IS NULL"
ANNOUNCED = "SELECT count(*) FROM outbox_message WHERE sent_at IS NOT NULL"


@pytest.fixture
def parties(company: Company, town: WorldClient) -> list[Party]:
    """Organisations with two batches of payments each, connected; the night has not begun."""
    parties = [town.organisation(name=f"Bar {number}") for number in range(ORGANISATIONS)]
    for party in parties:
        party.pay(*payments(60))
        connected = company.connect(party)
        assert connected.code == 0, connected.err
    return parties


def nothing_is_lost_or_doubled(parties: list[Party]) -> None:
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]


def test_a_worker_told_to_stop_finishes_its_requests_and_begins_no_other(company: Company, town: WorldClient) -> None:
    party = town.organisation()
    party.pay(*payments(450))
    assert company.connect(party).code == 0
    slow = town.fault("delay", match=PUTS, when="before", seconds=1.5, times=None)
    company.start("scheduler")
    worker = company.start("worker")
    at(town, NIGHT)
    town.wait_until_held(slow)

    worker.signal(signal.SIGTERM)
    company.until(lambda: worker.exit_code is not None, "the worker to end", seconds=10)

    assert worker.exit_code == 0
    sent = len(puts(town))
    assert 1 <= sent <= IN_PROGRESS
    assert company.query("SELECT state, count(*) FROM posting GROUP BY state ORDER BY state") == [
        ("due", 450 - sent * BATCH_ROWS),
        ("posted", sent * BATCH_ROWS),
    ]
    assert company.query("SELECT owner FROM lease") == [("",)]

    town.control("DELETE", "/faults")
    company.start("worker")
    company.until_night_is_done()
    nothing_is_lost_or_doubled([party])
    assert len(puts(town)) == 9


@pytest.mark.parametrize("how", ["purge", "delete"])
def test_queues_emptied_or_removed_in_mid_night_lose_nothing(
    company: Company, town: WorldClient, parties: list[Party], broker: Broker, how: str
) -> None:
    held = town.fault("hold", match=PUTS, when="before")
    company.start("scheduler")
    company.keep_running("worker", "worker", "--threads", "1")
    at(town, NIGHT)
    town.wait_until_held(held)
    company.until(lambda: company.query(ANNOUNCED) == [(ORGANISATIONS,)], "every run to be announced")
    assert broker.waiting("nightly") == ORGANISATIONS - 1

    getattr(broker, how)()
    town.control("POST", f"/faults/{held}/release")
    company.until(lambda: len(puts(town)) >= 2, "the running job to go on")
    town.advance(SILENCE + 1)
    company.until_night_is_done(organisations=ORGANISATIONS)

    nothing_is_lost_or_doubled(parties)
    assert len(puts(town)) == 2 * ORGANISATIONS


def test_a_broker_killed_while_the_night_is_announced_delays_it_and_loses_nothing(
    company: Company, town: WorldClient, parties: list[Party], rabbitmq_server: RabbitmqServer
) -> None:
    scheduler = company.keep_running("scheduler", "scheduler")
    company.keep_running("worker", "worker")
    at(town, NIGHT)
    company.until_night_is_done(organisations=ORGANISATIONS)
    for party in parties:
        party.pay(*payments(10))
    with rabbitmq_server.outage():
        at(town, NEXT_NIGHT)
        company.until(lambda: company.query(UNSENT) == [(2 * ORGANISATIONS,)], "every run to wait in the outbox")
        assert company.restarts["scheduler"] == 0
    company.until_night_is_done(NEXT_NIGHT_DATE, ORGANISATIONS)

    nothing_is_lost_or_doubled(parties)
    assert len(puts(town)) == 3 * ORGANISATIONS
    assert company.query(UNSENT) == [(0,)]
    assert scheduler.is_running()


def test_a_database_killed_while_xero_answers_is_caught_up_with_by_looking(
    company: Company, town: WorldClient, parties: list[Party], postgres_server: PostgresServer
) -> None:
    held = town.fault("hold", match=PUTS, when="after", times=2 * ORGANISATIONS)
    company.keep_running("scheduler", "scheduler")
    company.keep_running("worker", "worker")
    at(town, NIGHT)
    town.wait_until_held(held, 2 * ORGANISATIONS)
    with postgres_server.outage():
        town.control("POST", f"/faults/{held}/release")
        town.wait_until(lambda: len(puts(town)) == 2 * ORGANISATIONS)
    town.advance(CERTAINTY)
    company.until_night_is_done(organisations=ORGANISATIONS)

    nothing_is_lost_or_doubled(parties)
    assert len(puts(town)) == 2 * ORGANISATIONS


def test_every_message_published_twice_posts_once(
    company: Company, town: WorldClient, parties: list[Party], broker: Broker
) -> None:
    company.start("scheduler")
    at(town, NIGHT)
    company.until(lambda: company.query(ANNOUNCED) == [(ORGANISATIONS,)], "every run to be announced")
    messages = broker.take("nightly")
    broker.publish("nightly", messages + messages)
    town.fault("delay", match=PUTS, when="before", seconds=0.5, times=2 * ORGANISATIONS)  # the copies overlap
    workers = [company.start("worker") for _ in range(2)]
    company.until_night_is_done(organisations=ORGANISATIONS)
    company.until(lambda: broker.waiting("nightly") == 0, "every copy to be taken")
    for worker in workers:
        worker.end(signal.SIGTERM)

    assert broker.waiting("nightly") == 0, "a copy was not finished"
    assert len(messages) == ORGANISATIONS
    nothing_is_lost_or_doubled(parties)
    assert len(puts(town)) == 2 * ORGANISATIONS
