"""F36 and F37: we look in Xero for what became of a request, and the look itself fails or comes too early."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.processes import PUTS, in_qonto, in_xero
from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import LOOKS, MINUTE, PROOF_AFTER, begin, connected, looks, sends, states_of, until_state
from tests.sandbox.world_client import Party, WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

BY_HAND = 2_010  # rows that a person entered, so that ours is listed on three pages of 1,000
LAG = 90


@pytest.fixture
def late_lists(town: WorldClient) -> Iterator[None]:
    """Xero lists a row only when it is 90 seconds old."""
    town.settings(xero_list_lag=LAG)
    yield
    town.settings(xero_list_lag=0)


@pytest.mark.fault("F36", injected="the look fails on page 2 of 3, then is cut on page 3", holds="I1 I2 I10")
def test_nothing_is_concluded_before_every_page_was_read(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town)
    town.fault("drop", match=PUTS, when="before")
    begin(company, town)
    until_state(company, "waiting", party)
    _enter_by_hand(town, party)
    failing = [
        town.fault("status", status=503, match=LOOKS, skip=1),
        town.fault("truncated", match=LOOKS, when="after", skip=3),
    ]

    for fault, wait in zip(failing, (PROOF_AFTER, MINUTE + 1), strict=True):
        town.advance(wait)
        _until_struck(company, town, fault)
        until_state(company, "waiting", party)
        assert len(sends(town, party)) == 1
        assert states_of(company, party) == {"uncertain: not_looked_up": 3}
    town.advance(2 * MINUTE + 1)
    company.until_night_is_done()

    pages = "".join(look["query"].split("page=")[1][0] for look in looks(town, party))
    assert pages == "12123123123", "two that failed, and two of which each says that nothing is there"
    first, again = sends(town, party)
    assert first["key"] != again["key"]
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault("F37", injected="Xero lists rows 90 seconds late, and an answer is lost", holds="I1")
@pytest.mark.usefixtures("late_lists")
def test_what_xero_does_not_list_yet_is_not_taken_for_absent(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town)
    town.fault("drop", match=PUTS, when="after")
    begin(company, town)
    until_state(company, "waiting", party)
    assert in_xero(party) == in_qonto(party)
    assert _listed(party) == 0, "the fault that this test is about is not there"

    town.advance(PROOF_AFTER)
    company.until_night_is_done()

    assert len(sends(town, party)) == 1
    assert states_of(company, party) == {"posted": 3}


def _enter_by_hand(town: WorldClient, party: Party) -> None:
    account = next(account for account in party.ledger()["accounts"] if account["type"] == "BANK")["id"]
    for number in range(BY_HAND):
        entered = {"account_id": account, "amount_cents": 100 + number, "type": "SPEND"}
        town.control("POST", f"/xero/{party.tenant}/bank-transactions", entered)


def _until_struck(company: FaultyCompany, town: WorldClient, fault: str) -> None:
    company.until(lambda: bool(town.control("GET", f"/faults/{fault}")["hits"]), "the look to fail")


def _listed(party: Party) -> int:
    party.authorize()
    return len(party.xero("GET", "BankTransactions").json()["BankTransactions"])
