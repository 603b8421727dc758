"""What the checker of the tests reads from the world's request log, each rule broken once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.checker import Request, changed_keys, forbidden_sends, over_limits, refreshed_twice

NIGHT = datetime(2026, 11, 20, 22, tzinfo=UTC)
SENT = Request(
    id=1,
    at=NIGHT,
    service="xero",
    method="PUT",
    path="/api.xro/2.0/BankTransactions",
    query="",
    tenant="xero-1",
    key="k1",
    sha256="a",
    status=0,
    struck_by="1",
    concurrent=1,
    body=json.dumps({"BankTransactions": [{"Url": "https://app.qonto.com/transactions/t1"}]}),
)
LOOK = replace(SENT, method="GET", key="", status=200, struck_by="", body="")
REFRESH = replace(SENT, service="identity", method="POST", path="/connect/token", key="", body="refresh_token=old")


def later(request: Request, seconds: float, **changes: object) -> Request:
    """The same request again."""
    return replace(request, id=request.id + 1, at=request.at + timedelta(seconds=seconds), **changes)  # type: ignore[arg-type]


def many(number: int) -> list[Request]:
    """So many looks, half a second apart."""
    return [replace(LOOK, id=n, at=NIGHT + timedelta(seconds=n / 2)) for n in range(number)]


def test_one_key_carries_one_request_within_five_minutes() -> None:
    assert list(changed_keys([SENT, later(SENT, 299)])) == []
    assert "different requests" in next(changed_keys([SENT, later(SENT, 60, sha256="b")]))
    assert "different requests" in next(changed_keys([SENT, later(SENT, 60, tenant="xero-2")]))
    assert "sent again 0:05:00" in next(changed_keys([SENT, later(SENT, 300)]))


def test_a_refusal_at_the_door_counts_as_a_send() -> None:
    assert "sent again" in next(changed_keys([replace(SENT, status=429), later(SENT, 3600)]))
    assert "sent again" in next(forbidden_sends([replace(SENT, status=429), later(SENT, 3600)]))
    assert "without a proof" in next(forbidden_sends([replace(SENT, status=403), later(SENT, 3600, key="k2")]))


def test_one_key_is_quiet_for_a_while_between_two_sends() -> None:
    assert "after the last time" in next(forbidden_sends([SENT, later(SENT, 30)]))
    assert list(forbidden_sends([SENT, later(SENT, 45)])) == []


def test_a_new_key_needs_a_complete_look_seven_minutes_after_the_first_send() -> None:
    again = replace(SENT, id=9, at=NIGHT + timedelta(minutes=8), key="k2")
    look = later(LOOK, 7 * 60)
    assert list(forbidden_sends([SENT, look, again])) == []
    assert "without a proof" in next(forbidden_sends([SENT, again]))
    assert "without a proof" in next(forbidden_sends([SENT, later(LOOK, 7 * 60 - 1), again]))
    early, ninety = later(LOOK, 7 * 60 - 90), SENT.at - timedelta(seconds=90)
    assert list(forbidden_sends([SENT, early, again], {SENT.key: ninety})) == []
    assert "without a proof" in next(forbidden_sends([SENT, early, again], {again.key: ninety}))
    assert "without a proof" in next(forbidden_sends([SENT, replace(look, struck_by="2"), again]))


def test_one_key_is_not_sent_with_other_bytes_nor_too_late() -> None:
    assert "other bytes" in next(forbidden_sends([SENT, later(SENT, 60, sha256="b")]))
    assert "again under one key" in next(forbidden_sends([SENT, later(SENT, 300)]))


def test_a_token_is_exchanged_once_unless_the_first_exchange_failed() -> None:
    done = replace(REFRESH, status=200, struck_by="")
    assert "exchanged by request" in next(refreshed_twice([done, later(done, 1)], set()))
    assert list(refreshed_twice([REFRESH, later(done, 1)], set())) == []
    assert list(refreshed_twice([done, later(done, 60)], set())) == []
    assert list(refreshed_twice([done, later(done, 1)], {"old"})) == []


def test_a_night_makes_55_calls_a_minute_and_a_person_60() -> None:
    asked = [(NIGHT - timedelta(hours=1), NIGHT + timedelta(hours=1))]
    assert list(over_limits(many(55), {}, [])) == []
    assert "56 calls" in next(over_limits(many(56), {}, []))
    assert list(over_limits(many(60), {}, asked)) == []
    assert "61 calls" in next(over_limits(many(61), {}, asked))


def test_five_calls_may_be_in_progress() -> None:
    assert list(over_limits([replace(LOOK, concurrent=5)], {}, [])) == []
    assert "one of 6 in progress" in next(over_limits([replace(LOOK, concurrent=6)], {}, []))


def test_nobody_calls_before_the_time_that_a_refusal_named() -> None:
    refused = replace(LOOK, status=429, struck_by="7")
    faults = {"7": {"retry_after": 30, "problem": "minute"}}
    assert list(over_limits([refused, later(LOOK, 30)], faults, [])) == []
    assert "told to wait" in next(over_limits([refused, later(LOOK, 29)], faults, []))
    by_default = {"7": {"retry_after": None, "problem": "day"}}
    assert "told to wait" in next(over_limits([refused, later(LOOK, 3599)], by_default, []))
