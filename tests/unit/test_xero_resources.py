"""What we read of Xero, resource by resource, and what we write there."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from clients.errors import Permanent, Refused, RemoteError, Temporary, TooLarge, Unreadable
from clients.http import Answer
from clients.xero.accounts import create_bank_account, create_coding_account, list_accounts
from clients.xero.bank_transactions import (
    MOST_PAGES,
    NO_ID,
    PAGE,
    TooManyPages,
    UnreadableBankTransaction,
    freeze,
    list_bank_transactions,
    put_bank_transactions,
    read_created,
    refuse_links,
)
from clients.xero.client import Xero
from clients.xero.connections import list_tenants
from clients.xero.organisation import read_organisation
from settings import Secret
from tests.unit.fakes import NOW, FakeBudget, FakeHttp, FakeTokens, answer, read_json

Talk = Callable[..., tuple[Xero, FakeHttp]]

ROW = {"BankTransactionID": "1", "Type": "SPEND", "Total": 47.30}


@pytest.fixture
def talk() -> Talk:
    """A client, and the HTTP it talks over, which gives these answers."""

    def start(*answers: Answer | RemoteError) -> tuple[Xero, FakeHttp]:
        http = FakeHttp(*answers)
        return Xero(http, "", "tenant-1", FakeTokens(), FakeBudget(), lambda: NOW), http

    return start


def _page(rows: int, **more: Any) -> Answer:
    return answer(200, {"BankTransactions": [ROW | {"BankTransactionID": f"row-{n}"} for n in range(rows)], **more})


def test_accounts_are_read_whole_even_those_without_a_code(talk: Talk) -> None:
    xero, _ = talk(
        answer(
            200,
            {
                "Accounts": [
                    {"AccountID": "1", "Name": "By hand", "Type": "BANK", "Status": "ARCHIVED", "CurrencyCode": "EUR"},
                    {"AccountID": "2", "Name": "Ours", "Type": "BANK", "Code": "QABC", "Unknown": []},
                ]
            },
        )
    )

    by_hand, ours = list_accounts(xero)

    assert (by_hand.account_id, by_hand.code, by_hand.status, by_hand.currency_code) == ("1", "", "ARCHIVED", "EUR")
    assert (ours.code, ours.status) == ("QABC", "ACTIVE")


def test_a_bank_account_is_created_with_its_mark_number_and_currency_under_a_key(talk: Talk) -> None:
    xero, http = talk(answer(200, {"Accounts": [{"AccountID": "1", "Code": "QABC", "Name": "Main", "Type": "BANK"}]}))

    created = create_bank_account(xero, code="QABC", name="Main", number="ES00", currency="EUR", key="key-1")

    (sent,) = http.sent
    assert created.account_id == "1"
    assert (sent.method, sent.headers["Idempotency-Key"]) == ("PUT", "key-1")
    assert read_json(sent.body) == {
        "Code": "QABC",
        "Name": "Main",
        "Type": "BANK",
        "BankAccountNumber": "ES00",
        "BankAccountType": "BANK",
        "CurrencyCode": "EUR",
    }


def test_the_coding_account_is_no_bank_account(talk: Talk) -> None:
    xero, http = talk(
        answer(200, {"Accounts": [{"AccountID": "1", "Code": "QDEF", "Name": "To be coded", "Type": "CURRENT"}]})
    )

    create_coding_account(xero, code="QDEF", name="To be coded", key="key-1")

    assert read_json(http.sent[0].body) == {"Code": "QDEF", "Name": "To be coded", "Type": "CURRENT"}


def test_an_answer_that_names_no_account_proves_nothing(talk: Talk) -> None:
    with pytest.raises(Temporary):
        create_coding_account(talk(answer(200, {"Accounts": []}))[0], code="Q", name="n", key="k")


def test_a_taken_name_comes_back_in_xeros_words(talk: Talk) -> None:
    body = {"Elements": [{"ValidationErrors": [{"Message": "Please enter a unique Name."}]}]}

    with pytest.raises(Permanent) as refusal:
        create_coding_account(talk(answer(400, body))[0], code="Q", name="n", key="k")

    assert refusal.value.messages == ["Please enter a unique Name."]


def test_a_frozen_request_is_the_same_bytes_each_time_with_its_amounts_as_numbers() -> None:
    element = {"Type": "SPEND", "LineItems": [{"UnitAmount": Decimal("0.10")}]}

    assert freeze([element]) == b'{"BankTransactions":[{"Type":"SPEND","LineItems":[{"UnitAmount":0.10}]}]}'
    assert freeze([element]) == freeze([element])


def test_a_batch_is_sent_byte_for_byte_so_that_one_bad_row_holds_no_other(talk: Talk) -> None:
    xero, http = talk(answer(200, {"BankTransactions": []}))

    put_bank_transactions(xero, Secret("token-1"), b"frozen", "key-1", math.inf)

    (sent,) = http.sent
    assert (sent.method, sent.body, sent.params) == ("PUT", b"frozen", {"summarizeErrors": "false"})
    assert sent.headers["Idempotency-Key"] == "key-1"


def test_each_row_of_an_answer_speaks_for_itself(talk: Talk) -> None:
    xero, _ = talk(
        answer(
            200,
            {
                "BankTransactions": [
                    {
                        "BankTransactionID": "1",
                        "Url": "u1",
                        "Status": "AUTHORISED",
                        "Total": 47.30,
                        "BankAccount": {"AccountID": "a"},
                        "StatusAttributeString": "OK",
                    },
                    {
                        "BankTransactionID": NO_ID,
                        "Url": "u2",
                        "StatusAttributeString": "ERROR",
                        "ValidationErrors": [{"Message": "bad"}, {"Description": "worse"}],
                    },
                    {"BankTransactionID": "3", "Url": "u3", "StatusAttributeString": "WARNING"},
                    {"BankTransactionID": NO_ID, "Url": "u4"},
                ]
            },
        )
    )

    sent = put_bank_transactions(xero, Secret("token-1"), b"", "k", math.inf)
    good, bad, warned, empty = read_created(xero, lambda: sent)

    assert [row.is_created for row in (good, bad, warned, empty)] == [True, False, True, False]
    assert (good.total, good.bank_account.account_id, good.url) == (Decimal("47.3"), "a", "u1")
    assert bad.messages == ["bad", "worse"]


@pytest.mark.parametrize(("status", "deleted"), [("AUTHORISED", False), ("DELETED", True), ("VOIDED", True)])
def test_a_deleted_row_is_known_by_its_status(talk: Talk, status: str, deleted: bool) -> None:
    xero, _ = talk(answer(200, {"BankTransactions": [ROW | {"Status": status}]}))

    assert [row.is_deleted for row in list_bank_transactions(xero)] == [deleted]


def test_a_list_is_read_to_the_last_page_that_xero_counts(talk: Talk) -> None:
    pages = {"pagination": {"pageCount": 3}}
    xero, http = talk(_page(PAGE, **pages), _page(2, **pages), _page(1, **pages))

    assert len(list(list_bank_transactions(xero, NOW))) == PAGE + 3
    assert [sent.params["page"] for sent in http.sent] == ["1", "2", "3"]
    assert {(sent.params["order"], sent.params["pageSize"]) for sent in http.sent} == {("BankTransactionID", str(PAGE))}
    assert {sent.headers["If-Modified-Since"] for sent in http.sent} == {"2026-11-20T22:00:00"}


def test_without_a_count_a_list_is_read_to_the_first_short_page(talk: Talk) -> None:
    xero, http = talk(_page(PAGE), _page(PAGE), _page(0))

    assert len(list(list_bank_transactions(xero))) == 2 * PAGE
    assert len(http.sent) == 3


def test_an_empty_list_is_a_complete_one(talk: Talk) -> None:
    xero, _ = talk(_page(0, pagination={"pageCount": 0}))

    assert list(list_bank_transactions(xero)) == []


def test_a_list_that_does_not_end_is_not_taken_for_complete(talk: Talk) -> None:
    endless = _page(1, pagination={"pageCount": MOST_PAGES + 1})
    xero, http = talk(*[endless] * (MOST_PAGES + 1))

    with pytest.raises(Unreadable, match="pages"):
        list(list_bank_transactions(xero))

    assert len(http.sent) == 1


def test_a_list_whose_pages_are_not_counted_ends_all_the_same(talk: Talk) -> None:
    xero, http = talk(*[_page(PAGE)] * 3)

    with pytest.raises(TooManyPages):
        list(list_bank_transactions(xero, most_pages=2))

    assert len(http.sent) == 2


@pytest.mark.parametrize("count", [None, "3", 0, -1, {}, 2.5])
def test_a_count_of_pages_that_is_none_leaves_it_to_the_first_short_page(talk: Talk, count: object) -> None:
    xero, _ = talk(_page(PAGE, pagination={"pageCount": count}), _page(1, pagination={"pageCount": count}))

    assert len(list(list_bank_transactions(xero))) == PAGE + 1


def test_where_no_pages_are_counted_a_page_that_repeats_the_one_before_it_is_the_last(talk: Talk) -> None:
    same = _page(PAGE, pagination={"pageCount": 0})

    assert len(list(list_bank_transactions(talk(same, same)[0]))) == 2 * PAGE


def test_an_empty_page_before_the_last_is_not_taken_for_an_end(talk: Talk) -> None:
    pages = {"pagination": {"pageCount": 3}}

    with pytest.raises(Unreadable, match="page 2 of 3"):
        list(list_bank_transactions(talk(_page(PAGE, **pages), _page(0, **pages))[0]))


@pytest.mark.parametrize(
    "change",
    [
        {"Total": None},
        {"Total": "NaN"},
        {"Total": 1e300},
        {"Total": "1e9999999"},
        {"Total": "-1e9999999"},
        {"Total": 0.001},
        {"Type": 5},
    ],
)
@pytest.mark.parametrize(
    ("link", "is_passed_over"), [(None, True), ("", True), ("other/1", True), ("ours/1", False), (7, False)]
)
def test_a_listing_is_incomplete_if_a_row_that_cannot_be_read_may_carry_a_link_of_ours(
    talk: Talk, change: dict[str, Any], link: object, is_passed_over: bool
) -> None:
    xero, _ = talk(answer(200, {"BankTransactions": [ROW | change | {"Url": link}, ROW]}))
    rows = list_bank_transactions(xero, report=refuse_links(lambda url: url.startswith("ours/")))

    with nullcontext() if is_passed_over else pytest.raises(Unreadable, match="a row with a link"):
        assert [row.bank_transaction_id for row in rows] == ["1"]


def test_an_unreadable_row_says_of_itself_what_can_be_read(talk: Talk) -> None:
    body = b'{"BankTransactions":[{"BankTransactionID":"9","Url":"u\\ud83d","BankAccount":{"AccountID":"a"}},null]}'
    found: list[UnreadableBankTransaction] = []

    assert list(list_bank_transactions(talk(answer(200, body))[0], report=found.append)) == []
    first, second = found
    assert (first.bank_transaction_id, first.url, first.account_id) == ("9", None, "a")
    assert first.payload in body
    assert (second.bank_transaction_id, second.url, second.account_id) == (None, None, None)


def test_an_element_that_cannot_be_read_is_one_without_an_answer(talk: Talk) -> None:
    odd: list[Any] = [None, {"Url": 5}, {"Url": "u", "Total": "much"}, {"BankTransactionID": {}}]
    refused = {"BankTransactionID": None, "Url": "u2", "StatusAttributeString": "ERROR", "Total": None, "Type": None}
    messages = [None, 5, {"Message": None}, {"Message": ["listed"]}, {"Message": "bad\x00"}, {"Message": "x" * 5000}]
    body = {
        "BankTransactions": [*odd, ROW, refused | {"ValidationErrors": messages}, refused | {"ValidationErrors": 3}]
    }
    xero, _ = talk()

    good, bad, mute = read_created(xero, lambda: answer(200, body))

    assert (good.is_created, good.total) == (True, Decimal("47.3"))
    assert (bad.is_created, bad.messages[1:]) == (False, ["bad", "x" * 1000])
    assert (mute.is_created, mute.messages) == (False, [])


def test_a_list_that_breaks_off_is_not_taken_for_complete(talk: Talk) -> None:
    xero, _ = talk(_page(1, pagination={"pageCount": 2}), *[answer(503)] * 3)

    with pytest.raises(Temporary):
        list(list_bank_transactions(xero))


HIGH_VOLUME = answer(400, {"ErrorNumber": 51, "Type": "HighVolumeException", "Message": "not filtering efficiently"})
TOO_MUCH: dict[str, Answer | RemoteError] = {
    "too many rows": HIGH_VOLUME,
    "a gateway that gave up": answer(504),
    "no answer in time": Temporary("GET", "no answer: ReadTimeout"),
    "more bytes than we read": TooLarge("GET", "the answer is too large"),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_a_page_that_is_too_much_is_asked_for_again_with_fewer_rows_and_the_list_goes_on_from_there(
    talk: Talk, what: str
) -> None:
    refusal = TOO_MUCH[what]
    first, last = _page(PAGE, pagination={"pageCount": 2}), _page(50, pagination={"pageCount": 21})
    xero, http = talk(first, refusal, refusal, last)

    rows = list(list_bank_transactions(xero, NOW))

    asked = [(sent.params["page"], sent.params["pageSize"]) for sent in http.sent]
    assert asked == [("1", "1000"), ("2", "1000"), ("6", "200"), ("21", "50")]
    assert len(rows) == PAGE + 50


@pytest.mark.parametrize("refusal", [answer(400, {"Type": "ValidationException"}), answer(200, {"Rows": []})])
def test_what_fewer_rows_do_not_mend_is_not_asked_for_again(talk: Talk, refusal: Answer) -> None:
    xero, http = talk(refusal, refusal)

    with pytest.raises((Permanent, Unreadable)):
        list(list_bank_transactions(xero))

    assert len(http.sent) == 1


def test_a_page_is_not_made_smaller_than_fifty_rows(talk: Talk) -> None:
    xero, http = talk(*[HIGH_VOLUME] * 4)

    with pytest.raises(Permanent):
        list(list_bank_transactions(xero))

    assert [sent.params["pageSize"] for sent in http.sent] == ["1000", "200", "50"]


def test_every_call_but_the_first_is_made_with_patience(talk: Talk) -> None:
    xero, _ = talk(HIGH_VOLUME, _page(1, pagination={"pageCount": 2}), _page(1, pagination={"pageCount": 2}))
    waited = []

    def patiently(ask: Callable[[], Answer]) -> Answer:
        waited.append(ask)
        return ask()

    assert len(list(list_bank_transactions(xero, NOW, patiently))) == 2
    assert len(waited) == 2


@pytest.mark.parametrize(
    ("dates", "locked_until"),
    [
        ({}, None),
        ({"PeriodLockDate": "/Date(1761868800000+0000)/"}, date(2025, 10, 31)),
        ({"EndOfYearLockDate": "/Date(1546214400000)/"}, date(2018, 12, 31)),
        ({"PeriodLockDate": "2025-10-31T00:00:00"}, date(2025, 10, 31)),
        ({"PeriodLockDate": "2025-10-31"}, date(2025, 10, 31)),
        ({"PeriodLockDate": "/Date(-86400000+0000)/"}, date(1969, 12, 31)),
        ({"PeriodLockDate": None, "EndOfYearLockDate": ""}, None),
        ({"PeriodLockDate": "/Date(-62135596800000+0000)/", "EndOfYearLockDate": "0001-01-01T00:00:00"}, None),
        (
            {"PeriodLockDate": "/Date(1546214400000+0000)/", "EndOfYearLockDate": "/Date(1761868800000+0000)/"},
            date(2025, 10, 31),
        ),
    ],
)
def test_the_later_lock_date_counts(talk: Talk, dates: dict[str, str], locked_until: date | None) -> None:
    xero, _ = talk(answer(200, {"Organisations": [{"OrganisationID": "1", "Name": "Farolillo", **dates}]}))

    assert read_organisation(xero).locked_until() == locked_until


@pytest.mark.parametrize("written", ["/Date()/", "/Date(x)/", "yesterday", "/Date(999999999999999)/", 5, [], True])
def test_a_lock_date_in_another_notation_is_not_guessed_at(talk: Talk, written: object) -> None:
    body = {"Organisations": [{"OrganisationID": "1", "Name": "Farolillo", "PeriodLockDate": written}]}
    organisation = read_organisation(talk(answer(200, body))[0])

    assert organisation.name == "Farolillo"
    with pytest.raises(Unreadable, match="lock date"):
        organisation.locked_until()


def test_an_answer_without_an_organisation_is_none(talk: Talk) -> None:
    with pytest.raises(Temporary):
        read_organisation(talk(answer(200, {"Organisations": []}))[0])


def test_only_xero_organisations_can_be_chosen_and_all_of_them_are_listed() -> None:
    http = FakeHttp(
        answer(
            200,
            [
                {"id": "c1", "tenantId": "t1", "tenantType": "ORGANISATION", "tenantName": "One"},
                {"id": "c2", "tenantId": "t2", "tenantType": "PRACTICE"},
                {"id": "c3", "tenantId": "t3", "tenantType": "ORGANISATION"},
            ],
        )
    )

    tenants = list_tenants(http, "https://api.example", FakeTokens())

    assert [(tenant.tenant_id, tenant.tenant_name) for tenant in tenants] == [("t1", "One"), ("t3", "")]
    assert (http.sent[0].url, http.sent[0].headers["Authorization"]) == (
        "https://api.example/connections",
        "Bearer token-1",
    )


def test_listing_organisations_renews_the_token_once() -> None:
    with pytest.raises(Refused):
        list_tenants(FakeHttp(answer(401), answer(401)), "", FakeTokens())

    assert list_tenants(FakeHttp(answer(401), answer(200, [])), "", FakeTokens()) == []


def test_organisations_that_cannot_be_listed_now_are_asked_for_later() -> None:
    with pytest.raises(Temporary):
        list_tenants(FakeHttp(answer(503)), "", FakeTokens())
