"""One odd field in an answer costs at most its own row: all else arrives the same night, and the odd row is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from clients.http import Answer, Http
from domain.reasons import Noted, sentence
from models.pause import paused_until
from models.posting import Posting
from models.quarantine import Quarantine
from services.settle_quarantine import payload_of
from services.view_accounts import AccountView, view_accounts
from tests.acceptance.world import Company, Office, Row, receives, spends
from tests.checker import id_in

pytestmark = pytest.mark.acceptance

TEN_MEGABYTES = "x" * (10 * 1024 * 1024)
NOT_NEEDED: dict[str, Row] = {
    "a redundant amount with an artefact of floats": {"amount": 1.0000000000000002},
    "a redundant amount that is none": {"amount": "much"},
    "no redundant amount": {"amount": None},
    "a number for a label": {"label": 5},
    "no label": {"label": None},
    "half an emoji": {"label": "Cafe \ud83d", "note": "\ude00"},
    "a label of ten megabytes": {"label": TEN_MEGABYTES},
    "a list for a reference": {"reference": ["a", None]},
    "an amount abroad that is none": {"local_amount_cents": "ten", "local_currency": "USD"},
    "an amount abroad beyond any column": {"local_amount_cents": 10**30, "local_currency": "USD"},
    "nothing about the card": {"card_last_digits": None, "operation_type": None},
    "a category as deep as a well": {"cashflow_category": {"name": [[[[[[]]]]]]}},
    "another account's id": {"bank_account_id": 7},
}
NEEDED: dict[str, Row] = {
    "an amount beyond any column": {"amount_cents": 10**30},
    "an amount below zero": {"amount_cents": -100},
    "an amount as text": {"amount_cents": "100"},
    "an id of ten megabytes": {"id": TEN_MEGABYTES},
    "an id with half an emoji": {"id": "a\ud83d"},
    "no currency": {"currency": None},
    "a moment off the calendar": {"settled_at": "0001-01-01T00:00:00+14:00"},
    "a balance as text": {"settled_balance_cents": "5"},
}


@pytest.mark.parametrize("damage", NOT_NEEDED.values(), ids=NOT_NEEDED)
def test_a_field_that_is_not_needed_may_be_anything(office: Office, damage: Row) -> None:
    company = office.connected()
    first, odd, last = company.moves(spends(100), spends(100), spends(300))
    office.qonto_says(lambda row: row | damage if row["id"] == odd else row)

    office.night()

    assert [company.state(row) for row in (first, odd, last)] == ["posted"] * 3
    assert Quarantine.select().count() == 0
    assert max(len(row.label) for row in Posting.select()) <= 1_000
    assert all(row.local_currency == "EUR" for row in Posting.select())


@pytest.mark.parametrize("damage", NEEDED.values(), ids=NEEDED)
def test_a_row_that_cannot_be_read_holds_no_other_and_is_in_quarantine(office: Office, damage: Row) -> None:
    company = office.connected()
    first, odd, last = company.moves(spends(100), spends(100), spends(300))
    office.qonto_says(lambda row: row | damage if row["id"] == odd else row)

    office.night()

    assert company.state(first) == company.state(last) == "posted"
    [kept] = Quarantine.select()
    assert company.account_id in kept.source
    assert len(kept.payload) <= 1024 * 1024
    company.missing[odd] = "unknown"


ODD_ACCOUNTS: dict[str, Row] = {
    "no currency": {"currency": None},
    "nothing on whose it is": {"is_external_account": None},
    "no name": {"name": None},
    "half an emoji for a name": {"name": "Taxes \ud83d"},
    "a number for an IBAN": {"iban": 5},
    "a list for a version": {"updated_at": []},
    "no version": {"updated_at": None},
    "a text for the number of an account": {"account_number": {}, "slug": None, "main": "yes"},
}


@pytest.mark.parametrize("damage", ODD_ACCOUNTS.values(), ids=ODD_ACCOUNTS)
def test_an_account_is_synced_whatever_stands_in_fields_that_are_not_needed(office: Office, damage: Row) -> None:
    company = office.connected(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    rows = company.moves(spends(100), spends(200, account_id=company.account_ids[1]))
    office.qonto_lists_accounts(lambda accounts: [one | (damage if one["name"] == "Taxes" else {}) for one in accounts])

    office.night()

    assert [company.state(row) for row in rows] == ["posted", "posted"]
    assert Quarantine.select().count() == 0


@pytest.mark.parametrize("damage", [{"currency": 5}, {"status": None}, {"is_external_account": "no"}], ids=str)
@pytest.mark.parametrize("is_known", [False, True], ids=["a new account", "a known account"])
def test_an_account_that_cannot_be_read_is_named_and_all_else_is_sent(
    office: Office, damage: Row, is_known: bool
) -> None:
    accounts = [{"name": "Main"}, {"name": "Taxes"}]
    company = office.established(accounts=accounts) if is_known else office.connected(accounts=accounts)
    odd = company.account_ids[1]
    sent, waiting = company.moves(spends(100), spends(200, account_id=odd))
    office.qonto_lists_accounts(lambda accounts: [one | (damage if one["id"] == odd else {}) for one in accounts])

    office.night()
    office.night()

    assert (company.state(sent), company.state(waiting)) == ("posted", "unknown")
    assert {run.state for run in company.runs()} == {"done"}
    assert odd in company.runs()[-1].reason
    assert _view(company, odd).unread_why == sentence(Noted.ACCOUNT_UNREADABLE)
    [kept] = Quarantine.select()
    assert kept.is_sealed
    assert odd.encode() in payload_of(kept, office.workbench)
    office.restart()
    office.night()
    assert company.state(waiting) == "posted"
    assert _view(company, odd).unread_why == ""


def test_an_account_without_a_readable_id_hides_no_other(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    sent, waiting = company.moves(spends(100), spends(200, account_id=company.account_ids[1]))
    office.qonto_lists_accounts(lambda accounts: [accounts[0], None, accounts[1] | {"id": {}}])  # type: ignore[list-item]

    office.night()

    assert (company.state(sent), company.state(waiting)) == ("posted", "unknown")
    assert Quarantine.select().count() == 2
    company.missing[waiting] = "unknown"


def _view(company: Company, account_id: str) -> AccountView:
    return next(one for one in view_accounts(company.connection) if one.bank_account_id == account_id)


BY_HAND: dict[str, Row] = {
    "no link": {"Url": None},
    "a total as text": {"Total": "12.50"},
    "no total": {"Total": None},
    "a total that is no money": {"Total": 1e300},
    "a number for a type": {"Type": 5},
    "no account": {"BankAccount": None},
    "half an emoji for a link": {"Url": "https://example.com/\ud83d"},
    "a date in words": {"DateString": "yesterday", "Date": []},
    "nothing but nulls": dict.fromkeys(("Url", "Total", "Type", "Status", "BankTransactionID", "DateString")),
}


@pytest.mark.parametrize("damage", BY_HAND.values(), ids=BY_HAND)
def test_a_row_that_somebody_entered_by_hand_stops_no_look_up(office: Office, damage: Row) -> None:
    company = office.established()
    by_hand = {"account_id": company.bank_accounts()[0]["id"], "amount_cents": 1250, "type": "SPEND"}
    company.in_xero("bank-transactions", by_hand | {"date": office.world.now.date().isoformat(), "contact": "By hand"})
    rows = company.moves(spends(100), receives(200))
    _lose_the_answer(office)
    office.xero_answers(lambda found: [row | ({} if _is_ours(row) else damage) for row in found])

    office.run_until_quiet()

    assert [company.state(row) for row in rows] == ["posted", "posted"]
    assert len(company.postings_sent()) == 1


def test_a_row_of_ours_that_cannot_be_read_is_waited_for_and_never_sent_twice(office: Office) -> None:
    company = office.established()
    [row] = company.moves(spends(100))
    _lose_the_answer(office)
    office.xero_answers(lambda found: [one | {"Type": None} for one in found])

    office.run_until_quiet()

    assert company.state(row) == "uncertain: not_looked_up"
    assert len(company.rows(row)) == 1
    office.restart()
    office.night()
    assert company.state(row) == "posted"
    assert len(company.postings_sent()) == 1


def test_a_row_that_xero_shows_without_its_link_is_not_sent_again(office: Office) -> None:
    company = office.established()
    [row] = company.moves(spends(100))
    _lose_the_answer(office)
    office.xero_answers(lambda found: [one | {"Url": None} for one in found])

    office.run_until_quiet()
    office.night()

    assert company.state(row) == "uncertain: not_looked_up"
    assert len(company.postings_sent()) == 1
    office.restart()
    office.night()
    assert company.state(row) == "posted"
    assert company.duplicates() == []


def test_a_row_of_ours_that_cannot_be_read_is_no_doubt_about_another(office: Office) -> None:
    company = office.established()
    [earlier] = company.moves(spends(300))
    office.night()
    [row] = company.moves(spends(100))
    _lose_the_answer(office)
    odd = company.row(earlier)["id"]
    company.in_xero(f"bank-transactions/{odd}/delete")
    office.xero_answers(
        lambda found: [one | ({"Type": None} if one["BankTransactionID"] == odd else {}) for one in found]
    )

    office.run_until_quiet()

    assert company.state(row) == "posted"
    assert len(company.postings_sent()) == 2


@pytest.mark.parametrize(
    "damage",
    [{"Total": "much"}, {"Url": 5}, {"BankTransactionID": []}, {"ValidationErrors": [None, 5, {}]}, {"Status": None}],
    ids=str,
)
def test_an_odd_element_of_an_answer_is_looked_up_and_costs_no_other(office: Office, damage: Row) -> None:
    company = office.connected()
    rows = company.moves(*(spends(100 + number) for number in range(50)))
    asked: list[int] = []

    def first_answer(found: list[Row]) -> list[Row]:
        asked.append(len(found))
        return [found[0] | damage, *found[1:]] if len(asked) == 1 else found

    office.xero_answers(first_answer)
    office.night()

    assert {company.state(row) for row in rows} == {"posted"}
    assert company.duplicates() == []


@pytest.mark.parametrize("damage", [{"Code": None}, {"CurrencyCode": None, "Name": 5}, {"AccountID": None}], ids=str)
def test_an_odd_account_in_the_chart_stops_no_account_of_ours(office: Office, damage: Row) -> None:
    company = office.connected()
    [row] = company.moves(spends(100))
    office.xero_lists_accounts(lambda accounts: [accounts[0] | damage, *accounts[1:]], times=99)

    office.night()

    assert company.state(row) == "posted"


def _locked_far_ahead(office: Office) -> tuple[Company, str]:
    company = office.established()
    company.in_xero("lock-date", {"period_lock_date": "2099-01-01"})
    [row] = company.moves(spends(100))
    office.night()
    assert company.state(row) == "held: lock_date"
    company.in_xero("lock-date", {"period_lock_date": None})
    return company, row


@pytest.mark.parametrize("written", [None, "", "/Date(-62135596800000+0000)/", "0001-01-01T00:00:00"])
def test_no_lock_date_in_any_of_xeros_notations_lets_go_what_waited(office: Office, written: str | None) -> None:
    company, row = _locked_far_ahead(office)
    office.xero_says_of_itself(lambda found: [one | {"PeriodLockDate": written} for one in found])

    office.night()

    assert company.state(row) == "posted"


@pytest.mark.parametrize("written", ["2099-01-01T00:00:00", "2099-01-01", "soon", 5])
def test_a_lock_date_that_still_holds_or_cannot_be_read_holds_only_what_waited_for_it(
    office: Office, written: Any
) -> None:
    company, waiting = _locked_far_ahead(office)
    [new] = company.moves(spends(200))
    office.xero_says_of_itself(lambda found: [one | {"PeriodLockDate": written} for one in found])

    office.night()

    assert (company.state(waiting), company.state(new)) == ("held: lock_date", "posted")
    company.missing[waiting] = "held: lock_date"


class Limiting(Http):
    """Passes everything on, but for the first request that creates transactions."""

    def __init__(self, http: Http, headers: Mapping[str, str]) -> None:
        self._http, self._left = http, [Answer(429, headers, b"")]

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        not_after: float = math.inf,
    ) -> Answer:
        if method == "PUT" and url.endswith("/BankTransactions") and self._left:
            return self._left.pop()
        return self._http.call(method, url, headers=headers, params=params, body=body, not_after=not_after)


@pytest.mark.parametrize(
    ("written", "longest"),
    [("9" * 20, timedelta(days=1)), ("978307200", timedelta(days=1)), ("\u00b2", timedelta(minutes=1))],
    ids=["twenty nines", "31 years", "a superscript two"],
)
def test_no_limit_lasts_longer_than_a_day(office: Office, written: str, longest: timedelta) -> None:
    company = office.established()
    [row] = company.moves(spends(100))
    headers = {"Retry-After": written, "X-Rate-Limit-Problem": "minute"}
    office.workbench = replace(office.workbench, http=Limiting(office.workbench.http, headers))
    office.at_23()

    office.turn()

    until = paused_until(company.tenant, office.world.now)
    assert until is not None
    assert until - office.world.now <= longest
    office.run_until_quiet()
    assert company.state(row) == "posted"


def _lose_the_answer(office: Office) -> None:
    """The night's request reaches Xero and its answer does not reach us, until only a look-up can say what became."""
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    office.world.wait(minutes=8)


def _is_ours(row: Row) -> bool:
    return bool(row.get("Url")) and bool(id_in(str(row["Url"])))


def _answers_once_without_links(office: Office, is_short: bool) -> None:
    left = iter([True])

    def change(rows: list[Row]) -> list[Row]:
        if not next(left, False):
            return rows
        return [row | {"Url": None} for row in (rows[:1] if is_short else rows)]

    office.xero_answers(change)


@pytest.mark.parametrize("is_short", [False, True])
def test_an_answer_that_shows_no_links_is_decided_by_a_look(office: Office, is_short: bool) -> None:
    company = office.established()
    rows = company.moves(spends(100), spends(200), receives(300))
    office.at_23()
    _answers_once_without_links(office, is_short)
    office.run_until_quiet()

    assert [company.state(row) for row in rows] == ["posted"] * 3
    assert len(company.postings_sent()) == 1


def test_what_an_answer_without_links_created_and_no_look_finds_is_held(office: Office) -> None:
    company = office.established()
    [row] = company.moves(spends(100))
    office.at_23()
    left = iter([True])
    office.xero_answers(lambda found: [one | {"Url": None} for one in found] if next(left, False) else [])
    office.run_until_quiet()
    office.night()

    assert company.state(row) == "held: unrecognised_in_xero"
    assert len(company.postings_sent()) == 1
    company.doubtful[row] = "held: unrecognised_in_xero"
