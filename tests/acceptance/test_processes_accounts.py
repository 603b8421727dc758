"""Accounts follow Qonto with the product as it really runs: scheduler, listener and worker, RabbitMQ and PostgreSQL.

ACCOUNTS_OPENED asks for more of them than a test run needs.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from random import Random
from typing import Any

import pytest

from messaging.event_queues import DEAD, QUEUE
from tests.acceptance import processes
from tests.acceptance.processes import NIGHT, Broker, Company, at, in_qonto, in_xero, payments, puts
from tests.sandbox.world_client import Party, WorldClient

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

town_url, town = processes.town_url, processes.town
migrated, company, broker = processes.migrated, processes.company, processes.broker

NEXT_NIGHT, NEXT_NIGHT_DATE = "2026-11-21T22:00:00Z", "2026-11-21"
UNHANDLED = "SELECT count(*) FROM inbox_event WHERE handled_at IS NULL"
OPEN_RUNS = "SELECT count(*) FROM sync_run WHERE state NOT IN ('done', 'failed')"
IBAN = "FR7630006000011234567890189"
OPENED = 5  # accounts of each organisation
ORGANISATIONS = int(os.environ.get("ACCOUNTS_OPENED", "300")) // OPENED


def bank_accounts(party: Party) -> list[dict[str, Any]]:
    """Xero's bank accounts that we made, archived and deleted ones too."""
    return [one for one in party.ledger()["accounts"] if one["type"] == "BANK" and one["made_by"] == "api"]


def names(party: Party) -> list[str]:
    return sorted(account["name"] for account in bank_accounts(party))


def test_an_account_is_opened_seen_in_xero_spent_from_closed_and_left(company: Company, town: WorldClient) -> None:
    party = town.organisation(name="Farolillo SL")
    processes = [company.start(command) for command in ("scheduler", "listener", "worker")]
    assert company.connect(party, follow=True).code == 0
    company.until(lambda: names(party) == ["Main"], "the first account to be in Xero")

    opened = town.control("POST", f"/qonto/{party.id}/accounts", {"name": "Taxes", "iban": IBAN})
    company.until(lambda: names(party) == ["Main", "Taxes"], "the new account to be in Xero")
    party.pay(*({"account_id": opened["id"], **one} for one in payments(3)))
    at(town, NIGHT)
    company.until_night_is_done()
    assert in_xero(party) == in_qonto(party)

    party.pay({"account_id": opened["id"], "amount_cents": 900})
    town.control("POST", f"/qonto/{party.id}/accounts/{opened['id']}/close")
    company.until(lambda: in_xero(party) == in_qonto(party), "the last payment to be in Xero before the night")
    company.until(lambda: company.query(UNHANDLED) == [(0,)], "both events to be handled")
    before, sent = bank_accounts(party), len(puts(town, party))
    at(town, NEXT_NIGHT)
    company.until_night_is_done(NEXT_NIGHT_DATE)

    assert bank_accounts(party) == before, "it is left as it is"
    assert len(puts(town, party)) == sent == 2
    told = {row["name"]: row for row in company.ask("accounts", party.known["slug"], "--json").json}
    assert (told["Taxes"]["in_qonto"], told["Taxes"]["in_xero"], told["Taxes"]["generation"]) == ("closed", "live", 1)
    assert [row["outcome"] for row in company.ask("events", "list", "--json").json] == ["stopped", "in_xero"]
    for process in processes:
        process.signal(signal.SIGTERM)
    company.until(lambda: [p.exit_code for p in processes] == [0, 0, 0], "everything to end with 0", seconds=10)
    assert not [p for p in processes if IBAN in p.log()]


def test_many_accounts_told_twice_and_in_any_order_are_each_in_xero_once(
    company: Company, town: WorldClient, broker: Broker
) -> None:
    random = Random(4)
    parties = [town.organisation(name=f"Bar {number}") for number in range(ORGANISATIONS)]
    for party in parties:
        company.connect_at_once(party, follow=True)
    town.control("POST", "/core", {"broker_url": None})  # what it tells is delivered below, in an order of ours
    said = town.control("GET", "/core/events")["last"]
    opened = {party.id: [open_account(party, number) for number in range(OPENED)] for party in parties}
    closed_first, closed_meanwhile = parties[: ORGANISATIONS // 2], parties[ORGANISATIONS // 2 :]
    town.advance(1)
    for party in closed_first:
        town.control("POST", f"/qonto/{party.id}/accounts/{opened[party.id][0]}/close")
    told = town.control("GET", f"/core/events?after={said}")["events"]
    said = told[-1]["number"]
    twice = random.sample(told * 2, len(told) * 2)

    for command in ("scheduler", "listener", "worker"):
        company.start(command)
    broker.tell(twice[: len(told)])
    for party in closed_meanwhile:
        town.control("POST", f"/qonto/{party.id}/accounts/{opened[party.id][0]}/close")
    closing = town.control("GET", f"/core/events?after={said}")["events"]
    rest = [*twice[len(told) :], *closing, *closing]
    broker.tell(random.sample(rest, len(rest)))
    until_all_is_followed(company, broker, len(told) + len(closing))

    assert Counter(event["type"] for event in told)["account.created"] == ORGANISATIONS * OPENED
    for party in parties:
        made = Counter(account["name"] for account in bank_accounts(party))
        wanted = Counter(["Main", *(f"Account {number}" for number in range(1, OPENED))])
        assert made - Counter(["Account 0"]) == wanted, "one for each active account"
        assert made["Account 0"] == 0 or (made["Account 0"] == 1 and party in closed_meanwhile)
    created = town.requests_made("service=xero&method=PUT&path=/Accounts$")
    assert len(created) == sum(len(bank_accounts(party)) + 1 for party in parties), "and one for lines to be coded"
    outcomes = dict(company.query("SELECT outcome, count(*) FROM inbox_event GROUP BY outcome"))
    assert sum(outcomes.values()) == ORGANISATIONS * (OPENED + 1)
    assert set(outcomes) == {"in_xero", "stopped"}

    replayed = company.ask("events", "replay", "--type", "account.created", "--reason", "a test", "--yes-many")
    assert replayed.code == 0, replayed.err
    until_all_is_followed(company, broker, len(told) + len(closing))
    assert len(town.requests_made("service=xero&method=PUT")) == len(created), "not one more write"


def open_account(party: Party, number: int) -> str:
    """Another account of it; its id."""
    opened = party.world.control("POST", f"/qonto/{party.id}/accounts", {"name": f"Account {number}"})
    return str(opened["id"])


def until_all_is_followed(company: Company, broker: Broker, events: int) -> None:
    """Return when nothing waits: no message, no event, no run."""

    def is_quiet() -> bool:
        return (
            broker.waiting(QUEUE) == broker.waiting(DEAD) == 0
            and company.query("SELECT count(*) FROM inbox_event") == [(events,)]
            and company.query(UNHANDLED) == [(0,)]
            and company.query(OPEN_RUNS) == [(0,)]
        )

    company.until(is_quiet, "every event to be followed", seconds=90)
