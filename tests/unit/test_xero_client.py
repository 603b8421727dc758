"""Calls to Xero: what is sent, and one of four words for everything that comes back wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone

import pytest

from clients.errors import Permanent, RateLimited, Refused, RemoteError, Temporary, TooLarge, TooLate
from clients.http import Answer
from clients.steady import steady_seconds
from clients.xero.budget import Remaining
from clients.xero.client import Xero
from settings import Secret
from tests.unit.fakes import NOW, FakeBudget, FakeHttp, FakeTokens, Sent, answer

MakeXero = Callable[..., Xero]
ErrorFor = Callable[[Answer], RemoteError]

KEY_USED = "Idempotency Key: k is used with a different request."


@pytest.fixture
def tokens() -> FakeTokens:
    return FakeTokens()


@pytest.fixture
def budget() -> FakeBudget:
    return FakeBudget()


@pytest.fixture
def xero_that_answers(tokens: FakeTokens, budget: FakeBudget) -> MakeXero:
    """A client for tenant-1 whose Xero gives these answers."""

    def make(*answers: Answer) -> Xero:
        return Xero(FakeHttp(*answers), "https://api.example", "tenant-1", tokens, budget, lambda: NOW)

    return make


@pytest.fixture
def error_for(xero_that_answers: MakeXero) -> ErrorFor:
    """What a call raises that gets this answer."""

    def raised(reply: Answer) -> RemoteError:
        with pytest.raises(RemoteError) as refusal:
            xero_that_answers(reply, reply).call("PUT", "/Accounts")
        return refusal.value

    return raised


def test_a_call_names_its_tenant_token_and_key_and_sends_the_bytes_as_they_are() -> None:
    http = FakeHttp(answer(200))
    xero = Xero(http, "https://api.example", "tenant-1", FakeTokens(), FakeBudget(), lambda: NOW)

    xero.call("PUT", "/BankTransactions", params={"summarizeErrors": "false"}, body=b"bytes", key="key-1")

    assert http.sent == [
        Sent(
            "PUT",
            "https://api.example/api.xro/2.0/BankTransactions",
            {
                "xero-tenant-id": "tenant-1",
                "Accept": "application/json",
                "Content-Type": "application/json",
                "Idempotency-Key": "key-1",
                "Authorization": "Bearer token-1",
            },
            {"summarizeErrors": "false"},
            b"bytes",
        )
    ]


def test_a_read_says_since_when_in_utc_and_carries_no_key() -> None:
    http = FakeHttp(answer(200))
    since = datetime(2026, 11, 20, 23, 5, 7, 999_999, tzinfo=timezone(timedelta(hours=2)))

    Xero(http, "", "tenant-1", FakeTokens(), FakeBudget(), lambda: NOW).call("GET", "/Accounts", modified_since=since)

    (sent,) = http.sent
    assert sent.headers["If-Modified-Since"] == "2026-11-20T21:05:07"
    assert not {"Idempotency-Key", "Content-Type"} & set(sent.headers)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (401, Refused),
        (403, Refused),
        (429, RateLimited),
        *((status, Permanent) for status in (400, 404, 405, 409, 412, 413, 415, 422)),
        *((status, Temporary) for status in (201, 204, 500, 501, 502, 503, 504, 599)),
    ],
)
def test_every_status_but_200_is_one_of_four_words(error_for: ErrorFor, status: int, word: type[RemoteError]) -> None:
    error = error_for(answer(status))

    assert type(error) is word
    assert error.call == "Xero PUT /Accounts"
    assert str(status) in error.problem


@pytest.mark.parametrize(
    ("headers", "wait", "problem"),
    [
        ({"x_rate_limit_problem": "minute", "retry_after": "17"}, 17, "minute"),
        ({"x_rate_limit_problem": "Day", "retry_after": "73451"}, 73451, "day"),
        ({"x_rate_limit_problem": "concurrent"}, 5, "concurrent"),
        ({"x_rate_limit_problem": "ConcurrentLimit"}, 5, "concurrent"),
        ({"x_rate_limit_problem": "appminute"}, 60, "appminute"),
        ({}, 60, "rate"),
        ({"retry_after": "0"}, 1, "rate"),
        ({"retry_after": "Fri, 20 Nov 2026 22:00:30 GMT"}, 30, "rate"),
        ({"retry_after": "Fri, 20 Nov 2026 21:00:00 GMT"}, 1, "rate"),
        ({"retry_after": "-5"}, 60, "rate"),
        ({"retry_after": "12.5"}, 12.5, "rate"),
        ({"retry_after": "\u00b2"}, 60, "rate"),
        ({"retry_after": "\u0664"}, 60, "rate"),
        ({"retry_after": "9" * 20}, 86_400, "rate"),
        ({"retry_after": "9" * 20_000}, 86_400, "rate"),
        ({"retry_after": "Sat, 20 Nov 2027 22:00:30 GMT"}, 86_400, "rate"),
        ({"retry_after": "Fri, 99 Nov 2026 22:00:30 GMT"}, 60, "rate"),
        ({"x_rate_limit_problem": "day"}, 3_600, "day"),
        ({"x_rate_limit_problem": "day", "retry_after": "soon"}, 3_600, "day"),
    ],
)
def test_each_limit_says_until_when_to_wait(
    error_for: ErrorFor, headers: dict[str, str], wait: float, problem: str
) -> None:
    error = error_for(answer(429, **headers))

    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(seconds=wait)
    assert problem in error.problem


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (
            {"Elements": [{"ValidationErrors": [{"Message": "one"}, {"Message": "two"}]}], "Message": "head"},
            ["one", "two"],
        ),
        ({"Elements": [{"ValidationErrors": [{"Description": "described"}]}], "Message": "head"}, ["described"]),
        ({"Elements": [{"ValidationErrors": []}, {}], "Message": "head"}, ["head"]),
        ({"Elements": [{"ValidationErrors": [{"Message": "one"}]}]}, ["one"]),
        ({"Elements": None, "Message": "head"}, ["head"]),
        ({"Message": KEY_USED}, [KEY_USED]),
        ({"Elements": ["text"], "Message": ""}, []),
        ({"Elements": [{"ValidationErrors": ["text", {}, {"Message": None}]}]}, []),
        ({"Elements": 5, "Message": "head"}, ["head"]),
        ({"Elements": {"a": {}}, "Message": "head"}, ["head"]),
        ({"Elements": [{"ValidationErrors": 5}], "Message": "head"}, ["head"]),
        ({}, []),
        (["a list"], []),
        ("a string", []),
        (b"<html>The resource you're looking for cannot be found</html>", []),
        (b"", []),
    ],
)
def test_a_refusal_carries_xeros_own_words_whatever_its_shape(
    error_for: ErrorFor, body: object, messages: list[str]
) -> None:
    error = error_for(answer(400, body))

    assert isinstance(error, Permanent)
    assert error.status == 400
    assert error.messages == messages


def test_xeros_words_are_for_the_database_and_stay_out_of_the_error_text(error_for: ErrorFor) -> None:
    assert "Farolillo" not in str(error_for(answer(400, {"Message": "The contact name Farolillo is taken"})))


def test_an_expired_token_is_renewed_once_and_the_same_call_made_again(tokens: FakeTokens) -> None:
    http = FakeHttp(answer(401), answer(200, {"ok": True}))

    Xero(http, "", "tenant-1", tokens, FakeBudget(), lambda: NOW).call("PUT", "/Accounts", body=b"bytes", key="key-1")

    first, second = http.sent
    assert tokens.refused == [Secret("token-1")]
    assert second.headers == {**first.headers, "Authorization": "Bearer token-2"}
    assert second.body == first.body


def test_a_fresh_token_that_is_refused_too_is_a_refusal_and_ends_nothing(
    xero_that_answers: MakeXero, tokens: FakeTokens
) -> None:
    xero = xero_that_answers(answer(401), answer(401), answer(200))

    with pytest.raises(Refused, match="fresh token") as refusal:
        xero.call("GET", "/Accounts")

    assert type(refusal.value) is Refused
    assert not refusal.value.is_of_tenant
    assert tokens.refused == [Secret("token-1")]
    assert not tokens.is_accepted


@pytest.mark.parametrize(
    ("body", "is_xeros"),
    [
        ({"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}, True),
        ({"title": "Forbidden", "status": 403}, True),
        (b"<html><title>Access Denied</title></html>", False),
        (b"", False),
        ("Forbidden", False),
    ],
)
def test_only_a_403_in_xeros_own_form_speaks_of_the_organisation(
    error_for: ErrorFor, body: object, is_xeros: bool
) -> None:
    error = error_for(answer(403, body))

    assert isinstance(error, Refused)
    assert error.is_of_tenant is is_xeros


def test_what_the_second_try_meets_is_told_as_it_is(xero_that_answers: MakeXero) -> None:
    with pytest.raises(Temporary):
        xero_that_answers(answer(401), answer(503)).call("GET", "/Accounts")


def test_only_an_expired_token_is_retried() -> None:
    http = FakeHttp(answer(500), answer(200))

    with pytest.raises(Temporary):
        Xero(http, "", "tenant-1", FakeTokens(), FakeBudget(), lambda: NOW).call("PUT", "/Accounts", body=b"", key="k")

    assert len(http.sent) == 1


def test_a_call_that_the_budget_refuses_is_not_sent(budget: FakeBudget) -> None:
    http = FakeHttp()
    budget.closed_until = NOW + timedelta(seconds=30)

    with pytest.raises(RateLimited) as refusal:
        Xero(http, "", "tenant-1", FakeTokens(), budget, lambda: NOW).call("GET", "/Accounts")

    assert refusal.value.until == NOW + timedelta(seconds=30)
    assert http.sent == []


@pytest.mark.parametrize("status", [200, 404, 429])
def test_every_answer_says_what_is_left(xero_that_answers: MakeXero, budget: FakeBudget, status: int) -> None:
    headers = {"X-MinLimit-Remaining": "4", "X-DayLimit-Remaining": "4321", "X-AppMinLimit-Remaining": "many"}

    with suppress(RemoteError):
        xero_that_answers(Answer(status, headers, b"{}")).call("GET", "/Accounts")

    assert budget.heard == [Remaining(minute=4, day=4321, app_minute=None)]
    assert (budget.taken, budget.failures, budget.settled) == (1, 0, 1)


@pytest.mark.parametrize("written", ["\u00b2", "\u0664", "9" * 20, "-1", "4.5", "", " "])
def test_a_header_without_a_count_says_nothing(xero_that_answers: MakeXero, budget: FakeBudget, written: str) -> None:
    xero_that_answers(Answer(200, {"X-MinLimit-Remaining": written}, b"{}")).call("GET", "/Accounts")

    assert budget.heard == [Remaining()]


def test_an_answer_that_is_too_large_is_an_answer_all_the_same(xero_that_answers: MakeXero, budget: FakeBudget) -> None:
    def too_large() -> Answer:
        raise TooLarge("GET /Accounts", "larger than 10 MB")

    with pytest.raises(TooLarge):
        xero_that_answers().outcome("GET /Accounts", too_large)

    assert budget.failures == 0


def test_an_answer_of_a_server_in_trouble_counts_as_none(xero_that_answers: MakeXero, budget: FakeBudget) -> None:
    with pytest.raises(Temporary):
        xero_that_answers(Answer(503, {"X-MinLimit-Remaining": "0"}, b"")).call("GET", "/Accounts")

    assert (budget.heard, budget.failures, budget.settled) == ([], 1, 1)


def test_a_process_that_was_held_up_sends_nothing(budget: FakeBudget) -> None:
    http = FakeHttp()
    xero = Xero(http, "", "tenant-1", FakeTokens(), budget, lambda: NOW)

    with pytest.raises(TooLate):
        xero.ask(Secret("token"), "PUT", "/BankTransactions", not_after=steady_seconds() - 1)

    assert http.sent == []
