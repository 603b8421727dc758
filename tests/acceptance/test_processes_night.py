"""A night with the scheduler, the worker and the world as processes of their own."""

from __future__ import annotations

import signal

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import NIGHT, Company, at, in_qonto, in_xero, payments, puts
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

town_url, town = processes.town_url, processes.town
migrated, company = processes.migrated, processes.company


def test_a_night_reaches_xero_once_and_every_command_tells_the_same_story(company: Company, town: WorldClient) -> None:
    party = town.organisation(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    generated = {"count": 130, "seed": 7, "settled_within_hours": 11}
    town.control("POST", f"/qonto/{party.id}/transactions", generated)
    connected = company.connect(party, alone=True)
    assert connected.code == 0, connected.err
    scheduler, worker = company.start("scheduler"), company.start("worker")
    slug, expected = party.known["slug"], in_qonto(party)

    plan = company.run("plan", slug, "--json").json
    at(town, NIGHT)
    company.until_night_is_done()

    assert in_xero(party) == expected
    balance = company.run("balance", slug)
    assert balance.code == 0, balance.out + balance.err
    assert sum(account["to_send"] for account in plan["accounts"]) == expected.total()
    assert plan["writes"] == len(puts(town)) == -(-expected.total() // 50)
    (run,) = company.run("runs", slug, "--json").json
    assert (run["kind"], run["state"], run["posted"]) == ("nightly", "done", expected.total())
    (story,) = company.run("explain", next(iter(expected)), "--json").json
    assert story["state"] == "posted"
    assert story["steps"][0]["what"] == "read from Qonto"

    scheduler.signal(signal.SIGTERM)
    worker.signal(signal.SIGTERM)
    company.until(lambda: scheduler.exit_code == worker.exit_code == 0, "both to end with 0", seconds=10)


def test_the_same_night_sends_nothing_twice_when_everything_runs_twice(company: Company, town: WorldClient) -> None:
    parties = [town.organisation(name=f"Bar {number}") for number in range(4)]
    for party in parties:
        party.pay(*payments(60))
        assert company.connect(party).code == 0
    for command in ("scheduler", "scheduler", "worker", "worker"):
        company.start(command)

    at(town, NIGHT)
    company.until_night_is_done(organisations=4)

    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]
    assert [len(puts(town, party)) for party in parties] == [2] * 4
    assert company.query("SELECT count(*), count(DISTINCT organisation_id) FROM sync_run") == [(4, 4)]
