"""What the fault tests about accounts that follow Qonto share: all that runs, and what the core does and Xero shows."""

from __future__ import annotations

from messaging.event_queues import QUEUE
from tests.acceptance.processes import Broker
from tests.faults.rig import FaultyCompany
from tests.sandbox.world_client import Party, WorldClient

HANDLED = "SELECT outcome FROM inbox_event WHERE handled_at IS NOT NULL ORDER BY id"
RECEIVED = "SELECT count(*) FROM inbox_event"


def followed(company: FaultyCompany, town: WorldClient, broker: Broker) -> Party:
    """An organisation whose first account is in Xero, with everything running."""
    party = town.organisation(name="Farolillo SL")
    assert company.connect(party, follow=True).code == 0
    for command in ("scheduler", "listener", "worker"):
        company.keep_running(command, command)
    company.until(lambda: names(party) == ["Main"], "the first account to be in Xero")
    company.until(lambda: company.query("SELECT state FROM sync_run") == [("done",)], "its run to be over")
    company.until(lambda: broker.is_read(QUEUE), "the listener to listen")
    return party


def names(party: Party) -> list[str]:
    """The bank accounts that we made in Xero and that can be used."""
    accounts = party.ledger()["accounts"]
    ours = [one for one in accounts if one["type"] == "BANK" and one["made_by"] == "api" and one["status"] == "ACTIVE"]
    return sorted(one["name"] for one in ours)


def opens(party: Party, name: str) -> str:
    """Another account is opened at Qonto; its id."""
    return str(party.world.control("POST", f"/qonto/{party.id}/accounts", {"name": name})["id"])


def closes(party: Party, account_id: str) -> None:
    party.world.control("POST", f"/qonto/{party.id}/accounts/{account_id}/close")


def made(town: WorldClient) -> int:
    """How many bank accounts were asked of Xero, whatever came of it."""
    asked = town.requests_made("service=xero&method=PUT&path=/Accounts$")
    return len([one for one in asked if '"BANK"' in one["body"]])


def has_outcomes(company: FaultyCompany, *outcomes: str) -> bool:
    return sorted(outcome for (outcome,) in company.query(HANDLED)) == sorted(outcomes)
