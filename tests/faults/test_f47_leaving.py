"""F47 to F50 and F65: a person no longer lets us in, or sends us away in the middle, and lets us in again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models.lease import LEASE
from tests.acceptance.processes import PUTS, in_qonto, in_xero, payments
from tests.faults.rig import Aftermath, Failpoints, FaultyCompany, night_of, read_only
from tests.faults.xero_side import MINUTE, begin, connected, live_until, sends, until_state
from tests.sandbox.world_client import Party, WorldClient
from tests.servers.postgres import PostgresServer

pytestmark = [pytest.mark.faults, pytest.mark.integration]

NEXT_NIGHT, NEXT_DATE = "2026-11-21T22:00:00Z", "2026-11-21"
ENDED = "SELECT ended_at FROM connection WHERE state = 'disconnected'"
PROBES = "SELECT state FROM sync_run WHERE kind = 'probe'"
SECRETS = "SELECT count(*) FROM credential WHERE secret <> '' OR access_token <> ''"
ERASE = ("posting_event", "posting", "account_link", "cursor")


def leave(company: FaultyCompany, party: Party, *options: str) -> None:
    ran = company.run("connections", "disconnect", party.known["slug"], "--yes", "--reason", "they left", *options)
    assert ran.code == 0, ran.err


def calls(town: WorldClient, party: Party, since: datetime | None = None) -> list[str]:
    """What was asked for this organisation, of its Qonto or its Xero."""
    asked = [*town.requests_made(f"tenant={party.tenant}"), *town.requests_made(f"tenant={party.id}")]
    return [one["path"] for one in asked if since is None or datetime.fromisoformat(one["time"]) > since]


def refreshes_of(town: WorldClient, party: Party) -> int:
    """How often its refresh token was tried."""
    token = party.known["xero_tokens"]["refresh_token"]
    return len([one for one in town.requests_made("service=identity") if token in one["body"]])


def left_behind(company: FaultyCompany, party: Party) -> dict[str, str]:
    """What is not in Xero, and what we say of each."""
    told = "SELECT transaction_id, state || CASE reason WHEN '' THEN '' ELSE ': ' || reason END FROM posting"
    said = dict(company.query(f"{told} WHERE tenant_id = %s", party.tenant))
    return {key: said.get(key, "unknown") for key in in_qonto(party) if key not in in_xero(party)}


@pytest.mark.fault("F47", injected="a person takes back at Xero what they allowed", holds="I6 I13")
def test_who_is_no_longer_let_in_says_so_and_asks_once_a_day(
    company: FaultyCompany, town: WorldClient, aftermath: Aftermath
) -> None:
    party, witness = connected(company, town, name="401"), connected(company, town)
    town.control("POST", f"/xero/{party.tenant}/revoke")
    town.advance(31 * MINUTE)
    begin(company, town)
    until_state(company, "failed", party)
    until_state(company, "done", witness)
    asked, exchanged = calls(town, party), refreshes_of(town, party)

    (shown,) = [one for one in company.run("connections", "list", "--json").json if one["name"] == "401"]
    assert shown["state"] == "needs_reconnect"
    assert "invalid_grant" in shown["reason"]
    live_until(company, town, NEXT_DATE)
    company.until(lambda: company.query(PROBES) == [("failed",)], "the probe to be over")
    assert calls(town, party)[len(asked) :] == ["/v2/organization"], "the one probe of the day"
    assert refreshes_of(town, party) == exchanged == 1
    assert sends(town, party) == []
    aftermath.missing = left_behind(company, party)


@pytest.mark.fault("F48", injected="the database read-only while the new token is stored", holds="I2 I13")
def test_a_token_that_could_not_be_stored_is_made_with_the_old_one_again(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints, postgres_server: PostgresServer
) -> None:
    party = connected(company, town)
    failpoints.arm("refreshed", "sleep:2")
    begin(company, town)
    company.until(lambda: failpoints.fired("refreshed"), "Xero to have renewed the token")
    with read_only(company, postgres_server):
        worker = company.running("worker")[0]
        company.until(lambda: "read-only" in worker.log() or "terminating" in worker.log(), "the saving to fail")
    town.advance(LEASE.total_seconds() + MINUTE)
    company.until_night_is_done()

    first, again = [one for one in town.requests_made("service=identity") if one["path"].endswith("/token")][-2:]
    assert first["body"] == again["body"], "the old refresh token, inside Xero's grace"
    assert again["status"] == 200
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault("F49", injected="a person disconnects with four requests on the wire", holds="I1 I6")
def test_who_is_sent_away_in_the_middle_hears_the_answers_and_asks_nothing_more(
    company: FaultyCompany, town: WorldClient, aftermath: Aftermath
) -> None:
    (party,) = night_of(company, town, 2_000)
    witness = connected(company, town)
    held = town.fault("hold", match=PUTS | {"tenant": party.tenant}, when="before", times=4)
    begin(company, town)
    town.wait_until_held(held, 4)

    leave(company, party, "--no-wait")
    town.control("POST", f"/faults/{held}/release")
    company.until(lambda: company.query(SECRETS) == [(2,)], "all secrets but those of the witness to be erased")

    ((ended_at,),) = company.query(ENDED)
    live_until(company, town, NEXT_DATE)
    assert in_xero(witness) == in_qonto(witness), "the night of everybody else"
    assert calls(town, party, ended_at.astimezone(UTC)) == []
    assert 4 <= len(sends(town, party)) < 40
    assert len(in_xero(party)) == 50 * len(sends(town, party))
    assert company.query("SELECT count(*) FROM posting WHERE state IN ('sending', 'uncertain')") == [(0,)]
    aftermath.missing = left_behind(company, party)


@pytest.mark.fault(
    "F50", injected="disconnected with a request of unknown fate; another Xero organisation connected", holds="I1 I5 I6"
)
def test_what_was_meant_for_one_xero_organisation_never_reaches_another(
    company: FaultyCompany, town: WorldClient, aftermath: Aftermath
) -> None:
    (party,) = night_of(company, town, 60)
    town.fault("drop", match=PUTS, when="before", times=None)
    begin(company, town)
    until_state(company, "waiting", party)
    leave(company, party)
    town.control("DELETE", "/faults")
    other = town.organisation(name="Other books")
    moved = Party(town, {**party.known, "tenant_id": other.tenant, "xero_tokens": other.known["xero_tokens"]})
    company.stop("scheduler")

    company.connect_at_once(moved, since=town.control("GET", "/clock")["now"][:19])
    company.keep_running("scheduler", "scheduler")
    made = moved.pay(*payments(5))
    live_until(company, town, NEXT_DATE)

    assert sorted(in_xero(moved)) == sorted(row["id"] for row in made)
    assert not in_xero(party)
    assert len(sends(town, moved)) == 1
    aftermath.missing = left_behind(company, moved) | left_behind(company, party)


@pytest.mark.fault(
    "F65", injected="disconnected, our record erased, the same Xero organisation connected anew", holds="I1 I3 I4"
)
def test_whoever_comes_back_to_the_same_books_finds_them_as_they_were(
    company: FaultyCompany, town: WorldClient
) -> None:
    party = connected(company, town, rows=60)
    begin(company, town)
    company.until_night_is_done()
    before = party.ledger()
    deleted = before["bank_transactions"][0]
    town.control("POST", f"/xero/{party.tenant}/bank-transactions/{deleted['id']}/delete")
    leave(company, party)
    company.stop("scheduler")
    for table in ERASE:
        company.execute(f"DELETE FROM {table}")

    party.authorize()
    company.connect_at_once(party)
    company.keep_running("scheduler", "scheduler")
    made = party.pay(*payments(2))
    live_until(company, town, NEXT_DATE)

    after = party.ledger()
    assert [one["id"] for one in after["accounts"]] == [one["id"] for one in before["accounts"]]
    assert len(after["bank_transactions"]) == len(before["bank_transactions"]) + len(made)
    assert after["bank_transactions"][0]["status"] == "DELETED"
