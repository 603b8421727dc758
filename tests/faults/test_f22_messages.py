"""F22, F24 to F26: messages that come twice or not at all, that nobody can read, or that kill whoever takes them."""

from __future__ import annotations

import json
import signal
from functools import partial

import pytest

from domain.recovery import PROOF_AFTER
from models.lease import LEASE
from services.sync_organisation import MOST_STARTS
from tests.acceptance.processes import NIGHT, PUTS, Broker, at, in_qonto, in_xero, payments, puts
from tests.faults.rig import Failpoints, FaultyCompany, night_of
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

NEXT_NIGHT, NEXT_NIGHT_DATE = "2026-11-21T22:00:00Z", "2026-11-21"
ANNOUNCED = "SELECT count(*) FROM outbox_message WHERE sent_at IS NOT NULL"
RUN = "SELECT state, reason FROM sync_run WHERE organisation_id = %s ORDER BY id LIMIT 1"


@pytest.mark.fault("F22", injected="every message delivered twice, to two workers at once", holds="I1 I15 I16")
def test_every_message_twice(company: FaultyCompany, town: WorldClient, broker: Broker) -> None:
    night_of(company, town, 60, 60, 60)
    company.start("scheduler")
    at(town, NIGHT)
    company.until(lambda: company.query(ANNOUNCED) == [(3,)], "every run to be announced")
    messages = broker.take("nightly")
    broker.publish("nightly", messages + messages)
    held = town.fault("hold", match=PUTS, when="before", times=6)
    workers = [company.start("worker", "--threads", "3") for _ in range(2)]
    town.wait_until_held(held, 6)
    company.until(lambda: broker.waiting("nightly") == 0, "every copy to be taken while the others are at work")
    town.control("POST", f"/faults/{held}/release")
    company.until_night_is_done(organisations=3)
    for worker in workers:
        worker.end(signal.SIGTERM)

    assert len(messages) == 3
    assert broker.waiting("nightly") == 0, "a copy was not finished"
    assert company.query("SELECT count(*), max(turns) FROM sync_run") == [(3, 1)]
    assert company.query("SELECT max(fence) FROM lease") == [(1,)]
    assert len(puts(town)) == 6


@pytest.mark.fault("F24", injected="an account opened at Qonto of which no event ever came", holds="I2 I4 I15")
def test_an_account_nobody_told_us_of(company: FaultyCompany, town: WorldClient) -> None:
    (party,) = night_of(company, town, 10)
    company.start("scheduler")
    company.start("worker")
    at(town, NIGHT)
    company.until_night_is_done()
    opened = town.control("POST", f"/qonto/{party.id}/accounts", {"name": "Taxes", "balance_cents": 0})
    party.pay(*({"account_id": opened["id"], **payment} for payment in payments(10)))

    at(town, NEXT_NIGHT)
    company.until_night_is_done(NEXT_NIGHT_DATE)

    accounts = [row for row in party.ledger()["accounts"] if row["bank_account_number"] == opened["iban"]]
    assert [(row["status"], row["made_by"]) for row in accounts] == [("ACTIVE", "api")]
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault("F25", injected="bodies that are not JSON, of a wrong shape, of an unknown actor", holds="I18")
def test_messages_that_nobody_can_read(company: FaultyCompany, town: WorldClient, broker: Broker) -> None:
    parties = night_of(company, town, 60, 60)
    company.start("scheduler")
    at(town, NIGHT)
    company.until(lambda: company.query(ANNOUNCED) == [(2,)], "every run to be announced")
    good = broker.take("nightly")
    unknown = json.loads(good[0]) | {"actor_name": "organisation.forget", "message_id": "from another deploy"}
    shapeless = json.loads(good[0]) | {"kwargs": {"organisation": 1}, "message_id": "of a wrong shape"}
    shapeless["options"] = {"max_retries": 0}  # it would be tried again for a minute first
    poison = [
        b"\xff\x00 no JSON",
        b'{"queue_name": "nightly"}',
        *(json.dumps(p).encode() for p in (unknown, shapeless)),
    ]
    broker.publish("nightly", [*poison, *good])
    worker = company.start("worker")
    company.until_night_is_done(organisations=2)
    town.wait_until(lambda: len(puts(town)) == 4)
    company.until(lambda: company.query("SELECT count(*) FROM quarantine") == [(4,)], "the poison to be written down")

    written = {bytes(body) for (body,) in company.query("SELECT payload FROM quarantine")}
    assert written >= set(poison[:2]), "the bytes themselves"
    company.until(lambda: broker.waiting("nightly.XQ") == 0, "the dead letters to leave their queue")
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]
    assert worker.is_running()


@pytest.mark.fault("F26", injected="kill -9 at every start of one organisation's request", holds="I2 I18")
def test_a_run_that_kills_whoever_takes_it(company: FaultyCompany, town: WorldClient, failpoints: Failpoints) -> None:
    poison, *others = night_of(company, town, 40, 0, 0)
    failpoints.arm("presend", "kill always")  # the others have accounts to make, and nothing to send
    company.start("scheduler")
    company.keep_running("worker", "worker")
    at(town, NIGHT)
    innocent = [[("done", "")]] * 2
    for death in range(1, MOST_STARTS + 1):
        company.until(partial(has_died, company, death), "the worker to die once more")
        if death > 1:
            company.until(
                lambda: [company.query(RUN, other.id) for other in others] == innocent or a_moment_passes(town),
                "the others to end",
            )
        town.advance(LEASE.total_seconds())
    company.until(lambda: company.query(RUN, poison.id)[0][0] == "failed", "the run to be given up")

    assert company.restarts["worker"] == MOST_STARTS
    assert company.query(RUN, poison.id) == [("failed", f"its last {MOST_STARTS} workers ended without a word")]
    assert puts(town) == []
    assert company.query("SELECT count(*) FROM quarantine") == [(0,)]

    failpoints.disarm()
    town.advance(PROOF_AFTER.total_seconds())
    asked = company.run("sync", poison.known["slug"])
    assert asked.code == 0, asked.out + asked.err
    assert in_xero(poison) == in_qonto(poison)


def has_died(company: FaultyCompany, times: int) -> bool:
    """Whether a worker was started again so often."""
    return company.restarts["worker"] >= times


def a_moment_passes(town: WorldClient) -> bool:
    """On a slow machine a dying worker may take a neighbour along, whose lease must end first."""
    town.advance(0.5)
    return False
