"""Calls to Qonto: what is sent, what is read, and one of four words for everything that comes back wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from clients.errors import Permanent, RateLimited, Refused, RemoteError, Temporary
from clients.http import Answer
from clients.qonto.bank_accounts import MOST_PAGES, list_bank_accounts
from clients.qonto.client import Qonto
from clients.qonto.organisation import read_organisation
from clients.qonto.pages import PAGE
from clients.qonto.transactions import list_transactions
from settings import Secret
from tests.unit.fakes import NOW, FakeBudget, FakeHttp, FakeTokens, Sent, answer

Talk = Callable[..., tuple[Qonto, FakeHttp]]
ErrorFor = Callable[[Answer], RemoteError]

ORGANISATION = {"organization": {"id": "o", "slug": "farolillo-sl-4821"}}
NO_PAGES: tuple[Any, ...] = (0, 1, -1, "", "2", False, True, 2.5, {})  # after the first
ROW = {
    "id": "0193bb20-0000-7000-8000-00000000000a",
    "bank_account_id": "account-1",
    "amount": 47.30,
    "amount_cents": 4730,
    "currency": "EUR",
    "side": "debit",
    "status": "completed",
    "updated_at": "2026-11-21T07:02:55.431Z",
}


@pytest.fixture
def talk() -> Talk:
    """A client, and the HTTP it talks over, which gives these answers."""

    def start(*answers: Answer, tokens: FakeTokens | None = None, scheme: str = "") -> tuple[Qonto, FakeHttp]:
        http = FakeHttp(*answers)
        return Qonto(http, "https://qonto.example", tokens or FakeTokens(), FakeBudget(), lambda: NOW, scheme), http

    return start


@pytest.fixture
def error_for(talk: Talk) -> ErrorFor:
    """What a call raises that gets this answer."""

    def raised(reply: Answer) -> RemoteError:
        with pytest.raises(RemoteError) as refusal:
            read_organisation(talk(reply, reply)[0])
        return refusal.value

    return raised


@pytest.mark.parametrize(("scheme", "header"), [("", "token-1"), ("Bearer ", "Bearer token-1")])
def test_an_api_key_goes_out_bare_and_a_token_with_its_scheme(talk: Talk, scheme: str, header: str) -> None:
    qonto, http = talk(answer(200, ORGANISATION), scheme=scheme)

    organisation = read_organisation(qonto)

    assert (organisation.id, organisation.slug, organisation.legal_name) == ("o", "farolillo-sl-4821", "")
    assert http.sent == [
        Sent(
            "GET",
            "https://qonto.example/v2/organization",
            {"Authorization": header, "Accept": "application/json"},
            {},
            None,
        )
    ]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (401, Refused),
        (403, Refused),
        (429, RateLimited),
        *((status, Permanent) for status in (400, 404, 405, 412, 422, 428)),
        *((status, Temporary) for status in (201, 204, 500, 502, 503, 504)),
    ],
)
def test_every_status_but_200_is_one_of_four_words(error_for: ErrorFor, status: int, word: type[RemoteError]) -> None:
    error = error_for(answer(status))

    assert type(error) is word
    assert error.call == "Qonto GET /v2/organization"
    assert str(status) in error.problem


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 10),
        ({"retry_after": "3"}, 3),
        ({"retry_after": "0"}, 10),
        ({"retry_after": "-1"}, 10),
        ({"retry_after": "soon"}, 10),
    ],
)
def test_the_limit_says_until_when_to_wait(error_for: ErrorFor, headers: dict[str, str], seconds: int) -> None:
    error = error_for(answer(429, **headers))

    assert isinstance(error, RateLimited)
    assert error.until == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({"errors": [{"code": "a", "detail": "one"}, {"code": "b", "detail": "two"}]}, ["one", "two"]),
        ({"errors": {"code": "a", "detail": "one"}}, ["one"]),
        ({"code": "a", "detail": "one"}, ["one"]),
        ([{"detail": "one"}], ["one"]),
        ({"errors": [{"code": "a"}, "text", None]}, []),
        ({"errors": None}, []),
        ({"errors": {"code": "a"}}, []),
        ({"errors": {}}, []),
        ({"code": "a"}, []),
        ({}, []),
        (b"<html>missing staging token</html>", []),
        (b"", []),
        ("a string", []),
    ],
)
def test_a_refusal_carries_qontos_own_words_whatever_its_shape(
    error_for: ErrorFor, body: object, messages: list[str]
) -> None:
    error = error_for(answer(422, body))

    assert isinstance(error, Permanent)
    assert (error.status, error.messages) == (422, messages)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"errors": [{"code": "forbidden", "detail": "Forbidden"}]}, Permanent),
        ([{"code": "forbidden", "detail": "Forbidden"}], Permanent),
        (b"<html><title>Access Denied</title></html>", Temporary),
    ],
)
def test_a_403_about_one_account_is_qontos_word_only_if_it_is_in_qontos_form(
    talk: Talk, body: object, word: type[RemoteError]
) -> None:
    with pytest.raises(RemoteError) as refusal:
        list_transactions(talk(answer(403, body))[0], "account-1", NOW, 1)

    assert type(refusal.value) is word


def test_an_expired_token_is_renewed_once_and_the_same_call_made_again(talk: Talk) -> None:
    tokens = FakeTokens()
    qonto, http = talk(answer(401), answer(200, ORGANISATION), tokens=tokens)

    read_organisation(qonto)

    assert tokens.refused == [Secret("token-1")]
    assert [sent.headers["Authorization"] for sent in http.sent] == ["token-1", "token-2"]


def test_an_answer_that_is_not_what_qonto_documents_is_temporary(talk: Talk) -> None:
    with pytest.raises(Temporary, match="Qonto GET /v2/organization"):
        read_organisation(talk(answer(200, b"<html>"))[0])


def test_accounts_are_read_page_by_page_until_a_short_one(talk: Talk) -> None:
    account = {"id": "a", "name": "Main", "status": "active"}
    qonto, http = talk(answer(200, {"bank_accounts": [account] * PAGE}), answer(200, {"bank_accounts": [account]}))

    assert len(list_bank_accounts(qonto)) == PAGE + 1
    assert [sent.params["page"] for sent in http.sent] == ["1", "2"]


REFUSED = answer(422, {"errors": [{"code": "invalid", "detail": "page is out of range"}]})
FULL = answer(200, {"bank_accounts": [{"id": "a", "name": "Main", "status": "active"}] * PAGE})


@pytest.mark.parametrize("refused", [REFUSED, answer(404, {"errors": [{"detail": "no such page"}]})])
def test_a_page_behind_a_full_last_one_may_be_refused(talk: Talk, refused: Answer) -> None:
    qonto, http = talk(FULL, refused, refused)

    assert len(list_bank_accounts(qonto)) == PAGE
    assert [sent.params["page"] for sent in http.sent] == ["1", "2", "2"]


def test_one_refusal_of_a_page_ends_no_list(talk: Talk) -> None:
    assert len(list_bank_accounts(talk(FULL, REFUSED, FULL, REFUSED, REFUSED)[0])) == 2 * PAGE


@pytest.mark.parametrize(
    "answers", [[REFUSED], [FULL, answer(404, b"<html>")], [FULL, answer(400, {"errors": [{"detail": "bad"}]})]]
)
def test_any_other_refusal_of_a_page_is_one(talk: Talk, answers: list[Answer]) -> None:
    with pytest.raises(Permanent):
        list_bank_accounts(talk(*answers)[0])


def test_where_qonto_says_which_page_is_the_last_no_other_is_asked_for(talk: Talk) -> None:
    full = {"bank_accounts": [{"id": "a", "name": "Main", "status": "active"}] * PAGE, "meta": {"next_page": None}}
    qonto, http = talk(answer(200, full))

    assert len(list_bank_accounts(qonto)) == PAGE
    assert len(http.sent) == 1


def test_an_account_that_cannot_be_read_hides_no_other_and_says_of_itself_what_it_can(talk: Talk) -> None:
    odd = {"id": "b", "name": "Taxes\x00", "status": 5, "is_external_account": True}
    accounts = list_bank_accounts(talk(answer(200, {"bank_accounts": [{"id": "a", "status": "active"}, odd, None]}))[0])

    assert [account.id for account in accounts] == ["a"]
    first, second = accounts.unreadable
    assert (first.id, first.name, first.is_external) == ("b", "Taxes", True)
    assert (second.id, second.name, second.is_external) == (None, "", False)
    assert msgspec.json.decode(first.payload) == odd


def test_an_account_is_read_even_when_the_reader_may_see_almost_nothing_of_it(talk: Talk) -> None:
    body = {"bank_accounts": [{"id": "a", "name": "Main", "status": "something new", "main": True}]}

    (account,) = list_bank_accounts(talk(answer(200, body))[0])

    assert (account.iban, account.currency, account.is_external_account) == (None, "EUR", False)


def test_a_list_of_accounts_without_an_end_is_not_taken_for_complete(talk: Talk) -> None:
    full = answer(200, {"bank_accounts": [{"id": "a", "name": "Main", "status": "active"}] * PAGE})

    with pytest.raises(Temporary):
        list_bank_accounts(talk(*[full] * (MOST_PAGES + 1))[0])


def test_transactions_are_asked_for_by_account_completed_oldest_change_first_and_open_ended(talk: Talk) -> None:
    qonto, http = talk(answer(200, {"transactions": [], "meta": {"next_page": None}}))
    moment = datetime(2026, 11, 20, 23, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=1)))

    list_transactions(qonto, "account-1", moment, 3)

    assert http.sent[0].params == {
        "bank_account_id": "account-1",
        "status[]": "completed",
        "sort_by": "updated_at:asc",
        "updated_at_from": "2026-11-20T22:30:00.123Z",
        "page": "3",
        "per_page": str(PAGE),
    }


@pytest.mark.parametrize(
    ("rows", "meta", "more"),
    [
        (1, {"next_page": 2}, True),
        (PAGE, {"next_page": None}, False),
        (PAGE, None, True),
        (PAGE - 1, None, False),
        *((PAGE, {"next_page": odd}, True) for odd in NO_PAGES),
        *((PAGE - 1, {"next_page": odd}, False) for odd in NO_PAGES),
        (0, {"next_page": 2}, False),
    ],
)
def test_whether_there_is_more_is_what_qonto_says_or_else_a_full_page(
    talk: Talk, rows: int, meta: dict[str, Any] | None, more: bool
) -> None:
    qonto, _ = talk(answer(200, {"transactions": [ROW] * rows, "meta": meta}))

    assert list_transactions(qonto, "account-1", NOW, 1).more is more


def test_a_row_is_read_exactly_with_and_without_what_qonto_may_leave_out(talk: Talk) -> None:
    full = ROW | {
        "amount": 0.1,
        "amount_cents": 10,
        "settled_at": "2026-11-20T22:31:10Z",
        "settled_balance_cents": -5,
        "local_amount_cents": 11,
        "local_currency": "USD",
        "operation_type": "something new",
        "label": None,
        "card": {"unknown": []},
    }
    qonto, _ = talk(answer(200, {"transactions": [ROW, full]}))

    bare, row = list_transactions(qonto, "account-1", NOW, 1).rows

    assert (bare.amount, bare.settled_at, bare.operation_type, bare.label) == (Decimal("47.3"), None, "other", "")
    assert bare.updated_at == datetime(2026, 11, 21, 7, 2, 55, 431_000, tzinfo=UTC)
    assert (row.settled_at, row.settled_balance_cents) == (datetime(2026, 11, 20, 22, 31, 10, tzinfo=UTC), -5)
    assert (row.operation_type, row.label) == ("something new", "")


@pytest.mark.parametrize("amount", ["1e999999", "-1e999999"])
def test_an_amount_that_is_no_money_leaves_it_to_the_cents(talk: Talk, amount: str) -> None:
    qonto, _ = talk(answer(200, {"transactions": [ROW | {"amount": amount}, ROW]}))

    assert [row.amount_cents for row in list_transactions(qonto, "account-1", NOW, 1).rows] == [4730, 4730]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 47.31},
        {"amount_cents": 10**30},
        {"amount_cents": 10**15 + 1, "amount": None},
        {"settled_balance_cents": 10**15 + 1},
        {"settled_balance_cents": -(10**15) - 1},
        {"amount_cents": -4730},
        {"id": "x" * 201},
        {"id": ""},
        {"settled_balance_cents": "5"},
        {"updated_at": "0001-01-01T00:00:00+14:00"},
        {"amount_cents": 4730.5},
        {"side": "sideways"},
        {"updated_at": "yesterday"},
        {"updated_at": "2026-11-21T07:02:55"},
        {"settled_at": "2026-11-21T07:02:55"},
        {"id": None},
        {"id": "a\x00"},
        {"currency": "EU\x00"},
    ],
)
def test_an_unreadable_row_is_kept_with_its_bytes_and_hides_no_other(talk: Talk, change: dict[str, Any]) -> None:
    qonto, _ = talk(answer(200, {"transactions": [ROW | change, ROW]}))

    page = list_transactions(qonto, "account-1", NOW, 1)

    (unreadable,) = page.unreadable
    assert [row.id for row in page.rows] == [ROW["id"]]
    assert msgspec.json.decode(unreadable.payload) == ROW | change
    assert unreadable.problem
