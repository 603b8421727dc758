"""The core binds a queue and hears, from the product as it really runs, what became of a customer's connection."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import NIGHT, Broker, Company, at, in_qonto, in_xero, payments
from tests.acceptance.world import TELLABLE
from tests.sandbox.world_client import WorldClient
from tests.servers.processes import free_ports

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

town_url, town = processes.town_url, processes.town
migrated, company, broker = processes.migrated, processes.company, processes.broker
migrated_file, small_company = processes.migrated_file, processes.small_company

QUEUE = "core.notifications"
UNTOLD = "SELECT type FROM outbox_event WHERE sent_at IS NULL ORDER BY id"


def heard(broker: Broker) -> list[dict[str, Any]]:
    """Each event that waits in the core's queue, once, in the order in which it happened."""
    events = {event["id"]: event for event in map(json.loads, broker.take(QUEUE))}
    return sorted(events.values(), key=lambda event: str(event["time"]))


def test_the_core_hears_of_a_connection_its_night_and_its_end(
    company: Company, town: WorldClient, broker: Broker
) -> None:
    broker.bind(QUEUE, "#")
    party = town.organisation()
    party.pay(*payments(60))
    assert company.connect(party).code == 0
    for command in ("scheduler", "scheduler", "worker"):
        company.start(command)
    at(town, NIGHT)
    company.until_night_is_done()
    town.advance(60)

    ran = company.run("connections", "disconnect", str(party.known["slug"]), "--yes", "--reason", "they left")
    assert ran.code == 0, ran.err
    company.until(lambda: company.query(UNTOLD) == [], "everything to be told")

    events = heard(broker)
    assert [event["type"] for event in events] == ["connection.created", "sync.completed", "connection.disconnected"]
    assert [error.message for event in events for error in TELLABLE.iter_errors(event)] == []
    assert {event["data"]["organization_id"] for event in events} == {party.id}
    assert {event["data"]["xero_tenant_id"] for event in events} == {party.tenant}
    assert events[1]["data"]["posted"] == 60
    assert "they left" not in json.dumps(events)


def test_a_night_goes_on_while_the_broker_of_events_is_away_and_the_core_hears_of_it_afterwards(
    company: Company, town: WorldClient, broker: Broker
) -> None:
    broker.bind(QUEUE, "#")
    party = town.organisation()
    party.pay(*payments(60))
    (nobody,) = free_ports(1)
    company.settings["EVENTS_BROKER_URL"] = f"amqp://guest:guest@127.0.0.1:{nobody}/"
    assert company.connect(party).code == 0
    scheduler = company.keep_running("scheduler", "scheduler")
    company.start("worker")

    at(town, NIGHT)
    company.until_night_is_done()

    assert in_xero(party) == in_qonto(party)
    assert company.query(UNTOLD) == [("connection.created",), ("sync.completed",)]
    assert scheduler.is_running()
    company.stop("scheduler")
    del company.settings["EVENTS_BROKER_URL"]
    company.start("scheduler")
    company.until(lambda: company.query(UNTOLD) == [], "the core to be told")
    assert [event["type"] for event in heard(broker)] == ["connection.created", "sync.completed"]


def test_on_one_machine_without_a_broker_nothing_waits_to_be_told(small_company: Company, town: WorldClient) -> None:
    small_company.connect_at_once(town.organisation())
    small_company.start("scheduler")

    small_company.until(lambda: small_company.query_file(UNTOLD) == [], "nobody to be told")

    assert small_company.query_file("SELECT type FROM outbox_event") == [("connection.created",)]
