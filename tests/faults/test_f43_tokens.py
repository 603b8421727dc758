"""F43 to F46: the access token ends in the middle, under many at once, and the answer with the next one is lost."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.acceptance.processes import NIGHT, PUTS, at, in_qonto, in_xero
from tests.faults.rig import Failpoints, FaultyCompany
from tests.faults.xero_side import MINUTE, TOKENS, begin, connected, sends
from tests.sandbox.world_client import Party, WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

AT_ONCE = 8
LEASE = 90
VERSION = "SELECT version FROM credential WHERE kind = 'xero_oauth'"
LIVE = "SELECT count(*) FROM connection WHERE state = 'live'"


@pytest.mark.fault("F43", injected="401 at a writing, in the middle of a night", holds="I1 I2 I13")
def test_a_token_that_ends_in_the_middle_is_renewed_once(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town)
    town.fault("status", match=PUTS, status=401)
    begin(company, town)
    company.until_night_is_done()

    refused, sent = sends(town, party)
    assert (refused["status"], sent["status"], refused["key"] == sent["key"]) == (401, 200, True)
    renewals = [exchange for exchange in _exchanges(town) if refused["id"] < exchange["id"] < sent["id"]]
    assert len(renewals) == 1
    assert len({_token(exchange) for exchange in _exchanges(town)}) == len(_exchanges(town))
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault("F44", injected="an expired token, and eight processes that want it at once", holds="I13")
def test_eight_processes_and_one_expired_token_make_one_refresh(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town)
    begin(company, town)
    company.until_night_is_done()
    town.advance(31 * MINUTE)
    asked = town.control("GET", "/requests?limit=0")["last_id"]
    ((version,),) = company.query(VERSION)
    held = town.fault("hold", match=TOKENS)

    waiting = [company.start("balance", party.known["slug"]) for _ in range(AT_ONCE)]
    town.wait_until_held(held)
    company.until(lambda: _peers(company) == AT_ONCE - 1, "all others to want the token that one refreshes")
    town.control("POST", f"/faults/{held}/release")

    assert [company.until_ended(process) for process in waiting] == [0] * AT_ONCE
    assert company.query(VERSION) == [(version + 1,)]
    assert len({_token(exchange) for exchange in _exchanges(town, asked)}) == 1
    assert len(town.requests_made(f"after={asked}&tenant={party.tenant}&service=xero&status=200")) == AT_ONCE


@pytest.mark.fault("F45", injected="Xero renewed the token, its answer was lost", holds="I2 I13")
def test_a_renewal_that_nobody_heard_of_is_made_with_the_old_token_again_at_once(
    company: FaultyCompany, town: WorldClient
) -> None:
    party = connected(company, town)
    town.fault("drop", match=TOKENS, when="after")
    begin(company, town)
    company.until_night_is_done()

    _the_old_one_was_used_again(company, town, party)


@pytest.mark.fault("F46", injected="kill -9 between the renewal and its being stored", holds="I2 I13")
def test_a_worker_killed_with_the_new_token_in_hand_loses_nothing(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints
) -> None:
    party = connected(company, town)
    failpoints.arm("refreshed", "kill")
    company.keep_running("scheduler", "scheduler")
    worker = company.keep_running("worker", "worker")
    at(town, NIGHT)
    assert company.until_ended(worker) == -9

    town.advance(LEASE + 1)
    company.until_night_is_done()

    assert company.restarts["worker"] == 1
    _the_old_one_was_used_again(company, town, party)


def _the_old_one_was_used_again(company: FaultyCompany, town: WorldClient, party: Party) -> None:
    first, again = _exchanges(town)[-2:]
    assert _token(first) == _token(again)
    assert again["status"] == 200
    assert company.query(LIVE) == [(1,)]
    assert in_xero(party) == in_qonto(party)


def _exchanges(town: WorldClient, after: int = 0) -> list[dict[str, Any]]:
    return town.requests_made(f"service=identity&path=/connect/token&after={after}")


def _token(exchange: dict[str, Any]) -> str:
    return str(parse_qs(exchange["body"])["refresh_token"][0])


def _peers(company: FaultyCompany) -> int:
    """The processes of ours that look at the credential again and again."""
    asked = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
               AND query LIKE '%%"credential"%%'"""
    return int(company.query(asked)[0][0])
