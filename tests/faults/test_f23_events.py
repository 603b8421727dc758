"""F23 to F26, F15 and F17 for accounts that follow Qonto: events lost, repeated, reordered, poisonous, or just late."""

from __future__ import annotations

import json
from functools import partial
from random import Random

import pytest

from messaging.event_queues import DEAD, QUEUE
from messaging.queues import DELIVERY_LIMIT
from models.lease import LEASE
from tests.acceptance.processes import NIGHT, Broker, at, in_qonto, in_xero, payments
from tests.faults.core_side import HANDLED, RECEIVED, closes, followed, has_outcomes, made, names, opens
from tests.faults.rig import Failpoints, FaultyCompany
from tests.sandbox.world_client import WorldClient
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = [pytest.mark.faults, pytest.mark.integration]

NEXT_NIGHT, NEXT_NIGHT_DATE = "2026-11-21T22:00:00Z", "2026-11-21"
OBSERVATION = "2026-11-21T04:00:00Z"  # 05:00 in Paris
SEEN = "SELECT state FROM sync_run WHERE kind = 'observation' AND local_date = '2026-11-21'"


def has_died(company: FaultyCompany, times: int) -> bool:
    return company.restarts["listener"] == times


@pytest.mark.fault("F23", injected="deactivated before created, old after new, everything twice", holds="I4 I15")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_events_in_any_order(company: FaultyCompany, town: WorldClient, broker: Broker, seed: int) -> None:
    random = Random(seed)
    party = followed(company, town, broker)
    town.control("POST", "/core", {"broker_url": None})
    said = town.control("GET", "/core/events")["last"]
    opened = [opens(party, f"Account {number}") for number in range(4)]
    town.advance(1)
    for account_id in opened[:2]:
        closes(party, account_id)
    told = town.control("GET", f"/core/events?after={said}")["events"]

    broker.tell(random.sample(told * 2, len(told) * 2))
    company.until(partial(has_outcomes, company, *["in_xero"] * 2, *["stopped"] * 4), "every event to be followed")

    assert names(party) == ["Account 2", "Account 3", "Main"]
    assert made(town) == 3


@pytest.mark.fault("F24", injected="a closing of which no event ever came", holds="I2 I4 I15")
def test_a_closing_nobody_told_us_of(company: FaultyCompany, town: WorldClient, broker: Broker) -> None:
    party = followed(company, town, broker)
    account_id = opens(party, "Old")
    company.until(lambda: names(party) == ["Main", "Old"], "the account to be in Xero")
    town.control("POST", "/core", {"broker_url": None})
    party.pay(*({"account_id": account_id, **one} for one in payments(10)))
    closes(party, account_id)

    at(town, NIGHT)
    company.until_night_is_done()
    at(town, NEXT_NIGHT)
    company.until_night_is_done(NEXT_NIGHT_DATE)
    asked = town.control("GET", "/requests?limit=1")["last_id"]
    at(town, "2026-11-22T22:00:00Z")
    company.until_night_is_done("2026-11-22")

    assert in_xero(party) == in_qonto(party)
    listed = town.requests_made(f"service=qonto&path=/transactions$&after={asked}")
    assert [one for one in listed if account_id in one["query"]] == [], "it was read for good"


@pytest.mark.fault("F25", injected="events that are not JSON, not signed, of an unknown type, or huge", holds="I18")
def test_events_that_nobody_can_read(company: FaultyCompany, town: WorldClient, broker: Broker) -> None:
    party = followed(company, town, broker)
    good = {"type": "account.created", "headers": {}}
    path = f"/qonto/{party.id}/accounts/{party.account_id}/emit"
    poison = [
        good | {"body": "\x00 no JSON"},
        good | {"body": "x" * 2_000_000},
        good | {"body": json.dumps({"specversion": "1.0"})},
    ]

    broker.tell(poison)
    town.control("POST", path, {"type": "account.created", "signed": False})
    town.control("POST", path, {"type": "account.created", "data": {"updated_at": 5}})
    opens(party, "Taxes")
    company.until(lambda: names(party) == ["Main", "Taxes"], "the good one to be followed")

    company.until(lambda: company.query("SELECT count(*) FROM quarantine") == [(5,)], "the poison to be written down")
    reasons = {reason for (reason,) in company.query("SELECT reason FROM quarantine")}
    assert reasons == {"not signed", "not signed; the first 1048576 bytes are kept"} | {
        reason for reason in reasons if "data.updated_at" in reason
    }
    assert (broker.waiting(QUEUE), broker.waiting(DEAD)) == (0, 0)
    assert company.restarts["listener"] == 0


@pytest.mark.fault("F26", injected="kill -9 of the listener at every delivery of one event", holds="I18")
def test_an_event_that_kills_whoever_takes_it(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints, broker: Broker
) -> None:
    party = followed(company, town, broker)
    failpoints.arm("heard", "kill")
    opens(party, "Poison")
    for deaths in range(1, DELIVERY_LIMIT + 2):
        company.until(partial(has_died, company, deaths), "the listener to die once more")
        if deaths == 1:
            opens(party, "Taxes")
        if deaths <= DELIVERY_LIMIT:
            failpoints.arm("heard", "kill")

    company.until(lambda: company.query(RECEIVED) == [(1,)], "the innocent event to be received")
    company.until(lambda: company.query("SELECT count(*) FROM quarantine") == [(1,)], "the poison to be written down")
    assert "died or lost its connection" in company.query("SELECT reason FROM quarantine")[0][0]
    company.until(lambda: names(party) == ["Main", "Poison", "Taxes"], "both to be in Xero: one look sees all")
    requeued = company.run("quarantine", "requeue", "1", "--reason", "the release that died is gone")
    assert requeued.code == 0, requeued.out + requeued.err
    company.until(partial(has_outcomes, company, "in_xero", "in_xero"), "both events to be followed")
    assert made(town) == 3


@pytest.mark.fault("F1", injected="kill -9 of the listener before it stores an event", holds="I4 I15")
@pytest.mark.fault("F9", injected="kill -9 of the listener after it stored an event, before its ack", holds="I15 I16")
@pytest.mark.parametrize("step", ["heard", "noted"])
def test_a_listener_that_dies_at_a_step(
    company: FaultyCompany, town: WorldClient, broker: Broker, failpoints: Failpoints, step: str
) -> None:
    party = followed(company, town, broker)
    failpoints.arm(step, "kill")

    opens(party, "Taxes")
    company.until(partial(has_outcomes, company, "in_xero"), "the event to be followed")

    assert failpoints.fired(step)
    assert company.restarts["listener"] == 1
    assert names(party) == ["Main", "Taxes"]
    assert (company.query(RECEIVED), made(town)) == ([(1,)], 2)


@pytest.mark.fault("F1", injected="kill -9 of the worker that follows an account, step by step", holds="I4 I12 I16")
@pytest.mark.parametrize("step", ["recv", "leased", "account_intended", "account_answered", "preack"])
def test_a_worker_that_dies_while_it_follows_an_account(
    company: FaultyCompany, town: WorldClient, broker: Broker, failpoints: Failpoints, step: str
) -> None:
    party = followed(company, town, broker)
    failpoints.arm(step, "kill")

    opens(party, "Taxes")
    company.until(lambda: company.restarts["worker"] == 1, "the worker to die")
    if step in {"leased", "account_intended", "account_answered"}:
        town.advance(LEASE.total_seconds() + 20)  # what a dead worker holds, and the stagger behind it
    company.until(partial(has_outcomes, company, "in_xero"), "the event to be followed")

    assert names(party) == ["Main", "Taxes"]
    assert len([one for one in party.ledger()["accounts"] if one["made_by"] == "api"]) == 3


@pytest.mark.fault("F17", injected="the events' queue purged, then deleted while it is read", holds="I4 I15 I23")
def test_an_events_queue_without_its_messages(company: FaultyCompany, town: WorldClient, broker: Broker) -> None:
    party = followed(company, town, broker)
    company.stop("listener")
    opens(party, "Purged")
    company.until(lambda: broker.waiting(QUEUE) == 1, "the event to wait")
    broker.purge()
    company.keep_running("listener", "listener")
    company.until(lambda: broker.is_read(QUEUE), "the listener to listen")

    broker.delete()
    company.until(lambda: broker.is_read(QUEUE), "the queue to be there again")
    opens(party, "Taxes")
    company.until(lambda: "Taxes" in names(party), "the next event to be followed")
    at(town, NIGHT)
    company.until_night_is_done()

    assert names(party) == ["Main", "Purged", "Taxes"]
    assert made(town) == 3


@pytest.mark.fault("F15", injected="broker kill -9 while events are published and read", holds="I4 I15 I23")
def test_a_broker_killed_in_mid_stream(
    company: FaultyCompany, town: WorldClient, broker: Broker, rabbitmq_server: RabbitmqServer
) -> None:
    party = followed(company, town, broker)
    before = [opens(party, f"Account {number}") for number in range(5)]
    company.until(partial(has_outcomes, company, *["in_xero"] * 5), "the first ones to be followed")
    at(town, NIGHT)
    company.until_night_is_done()
    at(town, OBSERVATION)  # a queue whose broker is killed in its first seconds may stay without a leader
    company.until(lambda: company.query(SEEN) == [("done",)], "what people did in Xero to be seen")
    with rabbitmq_server.outage():
        opens(party, "Account 5")
        closes(party, before[0])
    company.until(lambda: company.query(RECEIVED) == [(7,)], "every event to be received", seconds=60)
    company.until(lambda: company.query(HANDLED)[6:] != [], "every event to be followed", seconds=60)

    assert set(names(party)) - {"Account 0"} == {"Main", *(f"Account {number}" for number in range(1, 6))}
    assert made(town) == len(names(party))
