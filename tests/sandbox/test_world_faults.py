"""Misfortune on demand."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.sandbox.world_client import Party, spend

PUTS = {"service": "xero", "method": "PUT", "path": "/BankTransactions$"}


def put(party: Party, bank_account: str, key: str | None = "key") -> requests.Response:
    return party.xero("PUT", "BankTransactions", spend(bank_account), key=key)


def count(party: Party) -> int:
    return len(party.ledger()["bank_transactions"])


@pytest.mark.parametrize("action", ["drop", "reset", "truncated"])
@pytest.mark.parametrize(("when", "committed"), [("before", 0), ("after", 1)])
def test_a_lost_answer_loses_the_work_only_before_the_commit(
    party: Party, bank_account: str, action: str, when: str, committed: int
) -> None:
    party.world.fault(action, match=PUTS, when=when)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        put(party, bank_account)
    assert count(party) == committed
    assert put(party, bank_account).status_code == 200
    assert count(party) == 1


@pytest.mark.parametrize(("action", "cause"), [("drop", "RemoteDisconnected"), ("reset", "ConnectionResetError")])
def test_a_reset_is_told_from_a_plain_close(party: Party, action: str, cause: str) -> None:
    party.world.fault(action, match={"service": "xero"})
    with pytest.raises(requests.ConnectionError, match=cause):
        party.xero("GET", "Organisation")


@pytest.mark.parametrize(
    ("action", "is_it"),
    [
        ("garbage", lambda answer: answer.status_code == 200 and b"not what you hoped" in answer.content),
        ("huge", lambda answer: len(answer.content) == 50 * 1024 * 1024),
        ("redirect", lambda answer: (answer.status_code, answer.headers["Location"]) == (302, "/elsewhere")),
    ],
)
def test_an_answer_can_be_spoiled(party: Party, action: str, is_it: Callable[[requests.Response], bool]) -> None:
    party.world.fault(action, match={"service": "xero"})
    assert is_it(party.xero("GET", "Organisation", allow_redirects=False))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_500_on_a_keyed_write_is_remembered_for_its_key(party: Party, bank_account: str, when: str) -> None:
    party.world.fault("status", match=PUTS, when=when, status=500)
    assert [put(party, bank_account).status_code for _ in range(2)] == [500, 500]
    assert count(party) == (when == "after")
    assert put(party, bank_account, "another").status_code == 200


def test_a_500_need_not_stick(party: Party, bank_account: str) -> None:
    party.world.fault("status", match=PUTS, when="after", status=500, sticky_cached=False)
    assert [put(party, bank_account).status_code for _ in range(2)] == [500, 200]
    assert count(party) == 1


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("maintenance", "The Xero API is currently offline for maintenance"),
        ("unavailable", "The Xero API is temporarily unavailable"),
        ("offline", "The Organisation is offline"),
        ("Out for lunch", "Out for lunch"),
    ],
)
def test_a_503_speaks_in_its_texts_and_is_not_remembered(party: Party, bank_account: str, text: str, body: str) -> None:
    party.world.fault("status", match=PUTS, status=503, text=text)
    refused = put(party, bank_account)
    assert (refused.status_code, refused.text) == (503, body)
    assert put(party, bank_account).status_code == 200


@pytest.mark.parametrize(
    ("problem", "retry_after"), [("minute", "60"), ("day", "3600"), ("concurrent", None), ("appminute", None)]
)
def test_each_429_names_its_problem(party: Party, problem: str, retry_after: str | None) -> None:
    party.world.fault("status", match={"service": "xero"}, status=429, problem=problem)
    headers = party.xero("GET", "Organisation").headers
    assert (headers["X-Rate-Limit-Problem"], headers.get("Retry-After")) == (problem, retry_after)


def test_a_429_may_say_its_own_retry_after(party: Party) -> None:
    party.world.fault("status", match={"service": "xero"}, status=429, problem="day", retry_after=0)
    assert party.xero("GET", "Organisation").headers["Retry-After"] == "0"


def test_a_fault_skips_then_strikes_then_rests_and_counts(party: Party) -> None:
    fault = party.world.fault("status", match={"service": "qonto"}, status=500, skip=1, times=2)
    assert [party.qonto("organization").status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    shown = party.world.control("GET", f"/faults/{fault}")
    assert (shown["hits"], shown["seen"]) == (2, 3)


@pytest.mark.parametrize(
    "match",
    [
        {"service": "identity"},
        {"method": "PUT"},
        {"path": "^/connections"},
        {"tenant": "another"},
        {"body": "something"},
    ],
)
def test_a_fault_leaves_what_does_not_match(party: Party, match: dict[str, Any]) -> None:
    party.world.fault("status", match=match, status=503)
    assert party.xero("GET", "Organisation").status_code == 200


def test_a_fault_can_match_what_the_body_says(party: Party, bank_account: str) -> None:
    party.world.fault("status", match={"body": "ref-1"}, status=503, times=None)
    assert put(party, bank_account).status_code == 503
    assert party.xero("PUT", "BankTransactions", spend(bank_account, 2)).status_code == 200


@pytest.mark.parametrize(("when", "committed"), [("before", 0), ("after", 1)])
def test_a_held_request_goes_on_when_its_client_has_gone(
    party: Party, bank_account: str, when: str, committed: int
) -> None:
    fault = party.world.fault("hold", match=PUTS, when=when)
    with ThreadPoolExecutor(1) as pool:
        gone = pool.submit(party.xero, "PUT", "BankTransactions", spend(bank_account), key="key")
        party.world.wait_until_held(fault)
        assert count(party) == committed
        assert party.world.control("GET", "/requests/open")["requests"][0]["key"] == "key"
        party.world.control("POST", f"/faults/{fault}/release")
        assert gone.result().status_code == 200
    assert count(party) == 1


def test_a_held_request_is_committed_after_its_client_hung_up(party: Party, bank_account: str) -> None:
    fault = party.world.fault("hold", match=PUTS)
    headers = {"Connection": "close", "Idempotency-Key": "key"}
    with pytest.raises(requests.ReadTimeout):
        party.xero("PUT", "BankTransactions", spend(bank_account), headers=headers, timeout=0.2)
    assert count(party) == 0
    party.world.control("POST", f"/faults/{fault}/release")
    party.world.wait_until(lambda: not party.world.control("GET", "/requests/open")["requests"])
    assert [row["key"] for row in party.ledger()["bank_transactions"]] == ["key"]


def test_a_fault_can_match_one_qonto_organisation(party: Party) -> None:
    other = party.world.organisation()
    party.world.fault("status", match={"service": "qonto", "tenant": party.id}, status=500)
    assert [one.qonto("organization").status_code for one in (other, party)] == [200, 500]


def test_a_delay_is_seconds_long_and_a_latency_is_for_all(party: Party) -> None:
    party.world.fault("delay", match={"service": "qonto"}, seconds=1)
    assert party.qonto("organization").elapsed.total_seconds() >= 1
    party.world.settings(qonto_latency=0.03)
    assert 0.03 <= party.qonto("organization").elapsed.total_seconds() < 1


def test_clearing_faults_ends_them_and_releases_what_they_hold(party: Party, bank_account: str) -> None:
    fault = party.world.fault("hold", match=PUTS)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(put, party, bank_account)
        party.world.wait_until_held(fault)
        party.world.control("DELETE", "/faults")
        assert held.result().status_code == 200
    assert party.world.control("GET", "/faults")["faults"] == []


def test_a_dropped_token_answer_still_rotated_the_token(party: Party) -> None:
    party.world.fault("drop", match={"service": "identity"}, when="after")
    form = {
        "grant_type": "refresh_token",
        "refresh_token": party.known["xero_tokens"]["refresh_token"],
        "client_id": party.known["xero_client_id"],
        "client_secret": party.known["xero_client_secret"],
    }
    with pytest.raises(requests.ConnectionError):
        party.world.call("POST", "/identity/connect/token", data=form)
    assert party.world.call("POST", "/identity/connect/token", data=form).status_code == 200
    party.world.advance(1801)
    assert party.world.call("POST", "/identity/connect/token", data=form).status_code == 400
