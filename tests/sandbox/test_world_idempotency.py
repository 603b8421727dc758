"""Idempotency-Key and rate limits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.sandbox.world_client import Party, WorldClient, messages, spend

SIX_MINUTES = 360


def put(party: Party, bank_account: str, number: int = 1, key: str = "key", **changes: Any) -> requests.Response:
    return party.xero("PUT", "BankTransactions", spend(bank_account, number, **changes), key=key)


def test_the_same_request_under_its_key_is_replayed_for_six_minutes(party: Party, bank_account: str) -> None:
    first = put(party, bank_account)
    party.world.advance(SIX_MINUTES - 1)
    assert put(party, bank_account).content == first.content
    party.world.advance(1)
    assert put(party, bank_account).content != first.content
    assert [row["key"] for row in party.ledger()["bank_transactions"]] == ["key", "key"]


def test_another_request_under_a_used_key_is_refused(party: Party, bank_account: str) -> None:
    put(party, bank_account)
    text = "Idempotency Key: key is used with a different request."
    body = spend(bank_account)
    others = [
        put(party, bank_account, 2),
        party.xero("POST", "BankTransactions", body, key="key"),
        party.xero("PUT", "BankTransactions?summarizeErrors=false", body, key="key"),
    ]
    assert [(other.status_code, other.json()["Message"]) for other in others] == [(400, text)] * 3


def test_a_refusal_is_remembered_even_when_its_cause_is_gone(party: Party, bank_account: str) -> None:
    party.world.control("POST", f"/xero/{party.tenant}/lock-date", {"period_lock_date": "2026-11-30"})
    refused = put(party, bank_account)
    party.world.control("POST", f"/xero/{party.tenant}/lock-date", {"period_lock_date": None})
    assert messages(put(party, bank_account)) == messages(refused)
    assert put(party, bank_account, key="new").status_code == 200


def test_keys_belong_to_the_app_not_to_the_tenant(world: WorldClient) -> None:
    body = {"Code": "USD"}
    one, two = world.organisation(), world.organisation()
    first = one.xero("PUT", "Currencies", body, key="shared")
    assert two.xero("PUT", "Currencies", body, key="shared").content == first.content
    assert len(two.xero("GET", "Currencies").json()["Currencies"]) == 1


def test_a_key_of_more_than_128_characters_is_refused(party: Party, bank_account: str) -> None:
    assert put(party, bank_account, key="k" * 128).status_code == 200
    answer = put(party, bank_account, key="k" * 129)
    assert answer.status_code == 400
    assert "129 characters" in answer.json()["Message"]


def test_keys_are_ignored_on_reads(party: Party, bank_account: str) -> None:
    assert party.xero("GET", "BankTransactions", key="key").json()["BankTransactions"] == []
    put(party, bank_account)
    assert len(party.xero("GET", "BankTransactions", key="key").json()["BankTransactions"]) == 1


@pytest.mark.parametrize(("mode", "rows"), [("wait", 1), ("both", 2)])
def test_a_duplicate_of_a_key_in_progress_waits_or_is_processed(
    party: Party, bank_account: str, mode: str, rows: int
) -> None:
    party.world.settings(concurrent_keys=mode)
    fault = party.world.fault("hold", match={"method": "PUT", "path": "BankTransactions"})
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(put, party, bank_account)
        party.world.wait_until_held(fault)
        second = pool.submit(put, party, bank_account)
        if mode == "both":
            assert second.result().status_code == 200
        party.world.control("POST", f"/faults/{fault}/release")
        assert first.result().status_code == second.result().status_code == 200
    assert len(party.ledger()["bank_transactions"]) == rows


def test_the_sixty_first_call_of_a_minute_is_refused_with_retry_after(party: Party) -> None:
    answers = [party.xero("GET", "Organisation") for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    refused = answers[-1]
    assert refused.headers["X-Rate-Limit-Problem"] == "minute"
    assert refused.headers["X-MinLimit-Remaining"] == "0"
    party.world.advance(int(refused.headers["Retry-After"]))
    assert party.xero("GET", "Organisation").headers["X-MinLimit-Remaining"] == "59"


def test_the_day_limit_is_the_tenants_own(party: Party) -> None:
    party.world.control("POST", f"/xero/{party.tenant}/day-limit", {"day_limit": 1})
    party.xero("GET", "Organisation")
    refused = party.xero("GET", "Organisation")
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "day")
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert refused.headers["X-DayLimit-Remaining"] == "0"


def test_the_apps_minute_is_shared_by_its_tenants(world: WorldClient) -> None:
    world.settings(app_minute_limit=1)
    one, two = world.organisation(), world.organisation()
    one.xero("GET", "Organisation")
    refused = two.xero("GET", "Organisation")
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "appminute")
    assert "Retry-After" not in refused.headers


def test_a_sixth_request_at_once_is_refused_without_retry_after(party: Party) -> None:
    fault = party.world.fault("hold", match={"service": "xero"}, times=5)
    with ThreadPoolExecutor(5) as pool:
        held = [pool.submit(party.xero, "GET", "Organisation") for _ in range(5)]
        party.world.wait_until_held(fault, 5)
        refused = party.xero("GET", "Organisation")
        party.world.control("POST", f"/faults/{fault}/release")
        assert [one.result().status_code for one in held] == [200] * 5
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")
    assert "Retry-After" not in refused.headers


def test_limits_are_checked_before_idempotency_so_replays_cost_calls(party: Party, bank_account: str) -> None:
    before = int(put(party, bank_account).headers["X-DayLimit-Remaining"])
    assert int(put(party, bank_account).headers["X-DayLimit-Remaining"]) == before - 1


def test_limits_can_be_lifted(party: Party) -> None:
    party.world.settings(rate_limits=False)
    assert {party.xero("GET", "Organisation").status_code for _ in range(70)} == {200}
