"""F51 and F52: an account is closed at Qonto, or taken away in Xero, while jobs are at work on it."""

from __future__ import annotations

from functools import partial

import pytest

from tests.acceptance.processes import NIGHT, PUTS, Broker, at, in_qonto, in_xero, payments, puts
from tests.faults.core_side import RECEIVED, closes, followed, has_outcomes, made, names
from tests.faults.rig import FaultyCompany, night_of
from tests.faults.xero_side import begin, connected, sends, until_state
from tests.sandbox.world_client import Party, WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

NEXT_NIGHT, NEXT_NIGHT_DATE, NEXT_EVENING = "2026-11-21T22:00:00Z", "2026-11-21", "2026-11-21T20:00:00Z"
PEOPLE = 3  # who ask for a sync at the moment of the night


@pytest.mark.fault("F51", injected="an account closed between a night's read and its request", holds="I1 I2 I15")
def test_an_account_closed_while_its_rows_are_on_their_way(company: FaultyCompany, town: WorldClient) -> None:
    (party,) = night_of(company, town, 60)
    held = town.fault("hold", match=PUTS, when="before")
    for command in ("scheduler", "listener", "worker"):
        company.keep_running(command, command)
    at(town, NIGHT)
    town.wait_until_held(held)
    party.pay({"amount_cents": 77_00})  # the night has read the account already
    closes(party, party.account_id)
    company.until(lambda: company.query(RECEIVED) == [(1,)], "the event to be received")
    town.control("POST", f"/faults/{held}/release")
    company.until(partial(has_outcomes, company, "stopped"), "the event to be followed")
    sent = puts(town, party)
    company.until_night_is_done()

    assert in_xero(party) == in_qonto(party)
    at(town, NEXT_NIGHT)
    company.until_night_is_done(NEXT_NIGHT_DATE)
    assert puts(town, party) == sent, "no request after the event was followed"


@pytest.mark.fault(
    "F52", injected="our account deleted and archived by a person; a night and three syncs at once", holds="I1 I4 I12"
)
@pytest.mark.parametrize("how", ["delete", "archive"])
def test_an_account_that_a_person_took_away_comes_back_once(
    company: FaultyCompany, town: WorldClient, how: str
) -> None:
    party = connected(company, town)
    begin(company, town, moment="2026-11-20T22:00:00Z")
    until_state(company, "done", party)
    (before,) = _bank_accounts(party)
    town.control("POST", f"/xero/{party.tenant}/accounts/{before['id']}/{how}")
    at(town, NEXT_EVENING)
    party.pay(*payments(4))
    company.keep_running("second worker", "worker")

    town.advance(2 * 60 * 60)
    people = [company.start("sync", party.known["slug"], "--no-wait") for _ in range(PEOPLE)]
    assert [company.until_ended(person) for person in people] == [0] * PEOPLE
    company.until(lambda: company.query(_OPEN) == [(0,)] or _stand_in_line(town), "every run to be over")

    accounts = [account for account in _bank_accounts(party) if account["id"] != before["id"]]
    assert [account["status"] for account in accounts] == ["ACTIVE"]
    assert accounts[0]["code"] != before["code"]
    rows = party.ledger()["bank_transactions"]
    assert [row["account_id"] for row in rows] == [before["id"]] * 3 + [accounts[0]["id"]] * 4
    assert in_xero(party) == in_qonto(party)
    assert len(sends(town, party)) == 2


@pytest.mark.fault("F52", injected="our account deleted by a person; a night and three events at once", holds="I4 I12")
def test_an_account_that_is_gone_when_four_jobs_look(company: FaultyCompany, town: WorldClient, broker: Broker) -> None:
    party = followed(company, town, broker)
    company.keep_running("second worker", "worker")
    (main,) = _bank_accounts(party)
    town.control("POST", f"/xero/{party.tenant}/accounts/{main['id']}/delete")

    at(town, NIGHT)
    path = f"/qonto/{party.id}/accounts/{party.account_id}/emit"
    for _ in range(3):
        town.control("POST", path, {"type": "account.created"})
    company.until(partial(has_outcomes, company, *["in_xero"] * 3), "every event to be followed")
    company.until_night_is_done()

    assert names(party) == ["Main"]
    assert company.query("SELECT max(generation), count(*) FROM account_link") == [(2, 2)]
    assert made(town) == 2


_OPEN = "SELECT count(*) FROM sync_run WHERE state NOT IN ('done', 'failed', 'caught_up')"


def _stand_in_line(town: WorldClient) -> bool:
    """Runs of one organisation wait half a minute for each other."""
    town.advance(10)
    return False


def _bank_accounts(party: Party) -> list[dict[str, str]]:
    accounts = party.ledger()["accounts"]
    return [account for account in accounts if account["type"] == "BANK" and account["made_by"] == "api"]
