"""F52: a person deletes or archives our account in Xero, and four jobs notice at once."""

from __future__ import annotations

import pytest

from tests.acceptance.processes import at, in_qonto, in_xero, payments
from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import begin, connected, sends, until_state
from tests.sandbox.world_client import Party, WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

NEXT_DATE, NEXT_EVENING = "2026-11-21", "2026-11-21T20:00:00Z"
PEOPLE = 3  # who ask for a sync at the moment of the night


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


_OPEN = "SELECT count(*) FROM sync_run WHERE state NOT IN ('done', 'failed', 'caught_up')"


def _stand_in_line(town: WorldClient) -> bool:
    """Runs of one organisation wait half a minute for each other."""
    town.advance(10)
    return False


def _bank_accounts(party: Party) -> list[dict[str, str]]:
    accounts = party.ledger()["accounts"]
    return [account for account in accounts if account["type"] == "BANK" and account["made_by"] == "api"]
