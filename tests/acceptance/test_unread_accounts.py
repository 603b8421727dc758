"""One account whose transactions Qonto does not give: all else is sent, and the account is named until it does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pytest

from clients.http import Answer, Http
from domain.following import LATE
from domain.reasons import Followed, Noted
from models.bank_account import unread_accounts
from models.inbox import InboxEvent
from services.check import check_over
from services.prove_balance import prove_balance
from services.view_accounts import view_accounts
from services.view_integration import view_integration
from services.view_night import view_night
from tests.acceptance.world import Company, Office, spends

pytestmark = pytest.mark.acceptance

JSON = {"Content-Type": "application/json"}
FORBIDDEN = Answer(403, JSON, b'{"errors":[{"code":"forbidden","detail":"Forbidden"}]}')
NOT_FOUND = Answer(404, JSON, b'{"errors":[{"code":"not_found","detail":"no such account"}]}')
NO_LIST = Answer(200, JSON, b'{"transactions":{}}')


class OneAccountAnswers(Http):
    """Passes everything on, but for the transactions of one account."""

    def __init__(self, http: Http, account_id: str, answer: Answer) -> None:
        self._http, self._account_id, self._answer = http, account_id, answer
        self.asked = 0

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
        if url.endswith("/v2/transactions") and (params or {}).get("bank_account_id") == self._account_id:
            self.asked += 1
            return self._answer
        return self._http.call(method, url, headers=headers, params=params, body=body, not_after=not_after)


@contextmanager
def answering(office: Office, account_id: str, answer: Answer) -> Iterator[OneAccountAnswers]:
    """For a while, Qonto answers so about one account."""
    before = office.workbench
    http = OneAccountAnswers(before.http, account_id, answer)
    office.workbench = replace(before, http=http)
    yield http
    office.workbench = before


def two_accounts(office: Office) -> tuple[Company, str]:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Board only"}])
    return company, company.account_ids[1]


def unread_since(company: Company) -> datetime:
    [moment] = [one.unread_since for one in view_accounts(company.connection) if one.unread_since]
    return moment


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (FORBIDDEN, Noted.ACCOUNT_REFUSED),
        (NOT_FOUND, Noted.ACCOUNT_REFUSED),
        (NO_LIST, Noted.ACCOUNT_UNREADABLE),
    ],
)
def test_an_account_that_cannot_be_read_holds_nothing_else_and_is_named_until_it_can(
    office: Office, answer: Answer, reason: Noted
) -> None:
    company, closed_to_us = two_accounts(office)
    [sent, unseen] = company.moves(spends(100), spends(200, account_id=closed_to_us))

    with answering(office, closed_to_us, answer) as http:
        office.night()

    night = [run for run in company.runs() if run.kind == "nightly"][-1]
    assert (night.state, night.turns, http.asked) == ("done", 1, 1)
    assert company.state(sent) == "posted"
    assert closed_to_us in night.reason
    assert unread_accounts(company.connection_id) == {closed_to_us: reason}
    [problem] = company.told("sync.problem")[-1]["data"]["problems"]
    assert (problem["code"], problem["accounts"], problem["transactions"]) == (reason, 1, 0)
    [view] = [one for one in view_accounts(company.connection) if one.bank_account_id == closed_to_us]
    assert view.unread_since is not None
    assert view.why == view.unread_why == problem["sentence"]
    shown = view_integration(company.id, office.world.now)
    assert shown is not None
    assert [(one.sentence, one.account) for one in shown.problems] == [(problem["sentence"], "Board only")]
    [counted] = [one for one in view_night(office.world.now).problems if one.what == "accounts"]
    assert (counted.code, counted.count) == (reason, 1)

    office.night()

    assert company.state(unseen) == "posted"
    assert unread_accounts(company.connection_id) == {}
    assert len(company.told("sync.problem")) == 1


def test_since_when_an_account_cannot_be_read_is_kept_from_the_first_night_on(office: Office) -> None:
    company, closed_to_us = two_accounts(office)
    with answering(office, closed_to_us, FORBIDDEN):
        office.night()
        first = unread_since(company)
        office.night()

    assert unread_since(company) == first


def test_a_closed_account_whose_transactions_are_gone_costs_one_question_a_night(office: Office) -> None:
    company, old = two_accounts(office)
    company.at_qonto(f"accounts/{old}/close")

    with answering(office, old, NOT_FOUND) as http:
        for night in range(1, 4):
            company.moves(spends(100 + night))
            office.night()
            assert http.asked == night
            assert [run.state for run in company.runs() if run.kind == "nightly"][-1] == "done"

    assert company.states() == {"posted": 3}


def test_an_event_about_a_closed_account_that_cannot_be_read_is_given_up_and_keeps_no_run_open(
    office: Office,
) -> None:
    company, old = two_accounts(office)
    event = office.world.last_event()
    company.at_qonto(f"accounts/{old}/close")

    with answering(office, old, FORBIDDEN) as http:
        office.hear(event)
        office.run_until_quiet()

    [outcome] = [one.outcome for one in InboxEvent.select()]
    assert (outcome, http.asked) == (Followed.GIVEN_UP, 1)
    assert [run.state for run in company.runs() if run.kind == "accounts"] == ["done"]


def test_an_account_that_is_away_for_a_moment_is_read_the_same_night(office: Office) -> None:
    company, slow = two_accounts(office)
    [payment] = company.moves(spends(200, account_id=slow))
    office.world.fault("status", service="qonto", method="GET", path="/transactions$", status=503, times=2)

    office.night()

    assert company.state(payment) == "posted"
    assert unread_accounts(company.connection_id) == {}


@pytest.mark.parametrize("had_rows", [True, False], ids=["with transactions", "without any"])
def test_an_account_that_qonto_lists_no_more_is_named_until_it_is_listed_again(
    office: Office, *, had_rows: bool
) -> None:
    company, gone = two_accounts(office)
    if had_rows:
        company.moves(spends(70, account_id=gone))
        office.night()
        office.morning()
    [sent, unseen] = company.moves(spends(100), spends(200, account_id=gone))
    office.qonto_lists_accounts(lambda accounts: [one for one in accounts if one["id"] != gone])

    office.night()

    assert company.state(sent) == "posted"
    assert company.state(unseen) == "unknown"
    assert unread_accounts(company.connection_id) == {gone: Noted.ACCOUNT_NOT_LISTED}
    [problem] = company.told("sync.problem")[-1]["data"]["problems"]
    assert (problem["code"], problem["accounts"]) == (Noted.ACCOUNT_NOT_LISTED, 1)
    proved = {proof.bank_account_id: proof.is_proved for proof in prove_balance(company.connection, office.workbench)}
    assert proved == {company.account_id: True, gone: False}
    lines = check_over(company.connection, office.workbench).invariants
    assert [violation for line in lines for violation in line.violations if gone in violation]
    office.restart()

    office.night()

    assert company.state(unseen) == "posted"
    assert unread_accounts(company.connection_id) == {}


def test_a_closed_account_that_was_read_for_good_may_leave_the_list(office: Office) -> None:
    company, gone = two_accounts(office)
    company.at_qonto(f"accounts/{gone}/close")
    office.world.move_to(office.world.now + LATE)
    office.night()
    office.morning()
    office.qonto_lists_accounts(lambda accounts: [one for one in accounts if one["id"] != gone])

    office.night()

    assert unread_accounts(company.connection_id) == {}


@pytest.mark.parametrize("nights", [1, 2])
def test_an_account_is_at_another_bank_only_if_two_nights_say_so(office: Office, nights: int) -> None:
    company, doubtful = two_accounts(office)
    [late] = company.moves(spends(200, account_id=doubtful))
    office.qonto_lists_accounts(lambda them: [one | {"is_external_account": one["id"] == doubtful} for one in them])

    for _ in range(nights):
        office.night()

    assert company.state(late) == ("unknown" if nights == 1 else "excluded: external_account")
    office.restart()
    office.night()
    if nights == 1:
        assert company.state(late) == "posted"
    else:
        office.companies.clear()  # the world says at the end that the row should be in Xero
