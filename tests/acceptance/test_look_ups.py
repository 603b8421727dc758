"""Look-ups that fail: what cannot be looked up stays uncertain and says so, and holds nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from clients.errors import Temporary, TooLarge
from clients.http import BODY_BYTES, Answer, Http
from domain.reasons import sentence
from models.states import RunState
from services.check import check_over
from services.check_database import lines_of_database
from services.explain import explain
from services.view_integration import view_integration
from services.view_night import view_night
from tests.acceptance.world import Company, Office, spends

pytestmark = pytest.mark.acceptance

Change = Callable[
    [Answer, Mapping[str, str], Mapping[str, str]], Answer
]  # of an answer to these headers and parameters


class Lists(Http):
    """Passes everything on, and changes what Xero answers when it is asked for a list of bank transactions."""

    def __init__(self, http: Http, change: Change) -> None:
        self._http, self._change = http, change

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
        answer = self._http.call(method, url, headers=headers, params=params, body=body, not_after=not_after)
        if method == "GET" and url.endswith("/BankTransactions"):
            return self._change(answer, headers or {}, params or {})
        return answer


def lists(office: Office, change: Change) -> None:
    """Until the office restarts, Xero's lists read otherwise."""
    office.workbench = replace(office.workbench, http=Lists(office.workbench.http, change))


def _refuse(status: int, **body: Any) -> Change:
    return lambda answer, *_: Answer(status, answer.headers, json.dumps(body).encode())


def _raise(error: Exception) -> Change:
    def change(*_: Any) -> Answer:
        raise error

    return change


FAILURES: dict[str, Change] = {
    "too many rows": _refuse(400, ErrorNumber=51, Type="HighVolumeException", Message="not filtering efficiently"),
    "a refusal": _refuse(400, Type="QueryParseException", Message="no"),
    "another shape": _refuse(200, Rows=[]),
    "too large": _raise(TooLarge("GET /BankTransactions", "the answer is too large")),
    "no answer": _raise(Temporary("GET /BankTransactions", "no answer: ReadTimeout")),
    "an error each time": _refuse(500),
}


def _lose_an_answer(office: Office, company: Company, cents: int) -> str:
    """A request and its replay are lost, before Xero did anything."""
    [doubtful] = company.moves(spends(cents))
    office.world.fault("drop", when="before")
    office.world.fault("status", status=500, when="before")
    return doubtful


@pytest.mark.parametrize("what", FAILURES)
def test_a_batch_that_cannot_be_looked_up_holds_itself_and_the_night_of_the_rest_is_done(
    office: Office, what: str
) -> None:
    company = office.established()
    doubtful = _lose_an_answer(office, company, 100)
    lists(office, FAILURES[what])
    office.night()
    later = company.moves(spends(200))
    office.night()

    assert company.state(doubtful) == "uncertain: not_looked_up"
    assert company.state(later[0]) == "posted"
    nights = [run for run in company.runs() if run.kind == "nightly"]
    assert [night.state for night in nights[-2:]] == [RunState.DONE, RunState.DONE]
    assert "cannot be looked up" in nights[-1].reason
    [problem] = company.told("sync.problem")[-1]["data"]["problems"]
    assert (problem["code"], problem["transactions"]) == ("not_looked_up", 1)

    office.restart()
    office.night()
    assert company.states() == {"posted": 2}


def test_what_cannot_be_looked_up_is_named_wherever_a_person_looks(office: Office) -> None:
    company = office.established()
    doubtful = _lose_an_answer(office, company, 100)
    lists(office, FAILURES["too many rows"])
    office.night()

    words = sentence("not_looked_up")
    assert [one.sentence for one in view_night(office.world.now).problems] == [words]
    integration = view_integration(company.id, office.world.now)
    assert integration
    assert [(one.sentence, one.transactions) for one in integration.problems] == [(words, 1)]
    [story] = explain(doubtful)
    assert story.reason == words
    assert any(words in step.what for step in story.steps)
    assert all(line.holds for line in lines_of_database(company.connection, office.world.now))
    office.restart()
    assert not check_over(company.connection, office.workbench).holds
    office.night()


def test_the_age_of_what_cannot_be_looked_up_counts_from_when_it_became_uncertain(office: Office) -> None:
    company = office.established()
    doubtful = _lose_an_answer(office, company, 100)
    lists(office, FAILURES["too many rows"])
    office.at_23()
    start = office.world.now
    office.run_until_quiet()
    office.night()

    posting = company.posting(doubtful)
    assert posting.reason == "not_looked_up"
    assert posting.changed_at - start < timedelta(minutes=1)
    assert view_night(office.world.now).uncertain.since == posting.changed_at
    office.restart()
    office.night()


def test_a_newer_batch_is_looked_up_although_an_older_one_cannot_be(office: Office) -> None:
    company = office.established()
    older = _lose_an_answer(office, company, 100)
    lists(office, FAILURES["too many rows"])
    office.night()
    first_night = office.world.now
    office.restart()

    def only_recent(answer: Answer, headers: Mapping[str, str], params: Mapping[str, str]) -> Answer:
        since = datetime.fromisoformat(headers["If-Modified-Since"] + "+00:00")
        return FAILURES["too many rows"](answer, headers, params) if since < first_night else answer

    newer = _lose_an_answer(office, company, 200)
    office.at_23()
    lists(office, only_recent)
    office.run_until_quiet()

    assert company.state(older) == "uncertain: not_looked_up"
    assert company.state(newer) == "posted"
    office.restart()
    office.night()
    assert company.states() == {"posted": 2}


def test_rows_that_are_large_are_listed_in_smaller_pages(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))

    def with_large_rows(answer: Answer, _: Mapping[str, str], params: Mapping[str, str]) -> Answer:
        told = json.loads(answer.body)
        rows = told["BankTransactions"]
        theirs = {"BankTransactionID": "x", "Type": "SPEND", "Total": 1.0, "LineItems": ["x" * 20_000]}
        rows += [theirs] * (int(params["pageSize"]) - len(rows))
        told["pagination"]["pageCount"] = 1
        body = json.dumps(told).encode()
        if len(body) > BODY_BYTES:
            raise TooLarge("GET /BankTransactions", "the answer is too large")
        return Answer(answer.status, answer.headers, body)

    lists(office, with_large_rows)
    office.world.fault("drop", when="before")
    office.world.fault("status", status=500, when="before")

    office.night()

    assert company.states() == {"posted": 1}


def test_what_is_twice_in_xero_and_cannot_be_looked_up_stays_held_and_holds_no_other(office: Office) -> None:
    company = office.established()
    [twice] = company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    row = company.row(twice)
    copy = {"account_id": row["account_id"], "amount_cents": 100, "type": "SPEND", "url": row["url"]}
    copied = company.in_xero("bank-transactions", copy)
    office.world.wait(minutes=8)
    office.run_until_quiet()
    [other] = company.moves(spends(200))
    lists(office, FAILURES["a refusal"])

    office.night()

    assert company.state(twice) == "held: twice_in_xero"
    assert company.state(other) == "posted"
    office.restart()
    company.in_xero(f"bank-transactions/{copied['id']}/delete")
    office.night()
    assert company.state(twice) == "posted"
    company.doubtful[twice] = "posted"


def test_a_row_that_is_listed_on_two_pages_is_there_once(office: Office) -> None:
    company = office.established()
    [ours] = company.moves(spends(100))
    office.world.fault("drop", when="after")
    lists(office, _twice)
    office.at_23()
    office.turn()
    office.world.wait(minutes=8)  # Xero has forgotten the key

    office.run_until_quiet()

    assert company.state(ours) == "posted"
    office.restart()


def _twice(answer: Answer, *_: Any) -> Answer:
    content = json.loads(answer.body)
    content["BankTransactions"] *= 2
    return replace(answer, body=json.dumps(content).encode())


def _type_by_hand(company: Company, transaction_id: str, like: str) -> None:
    """Somebody enters in Xero, without a link, what a transaction of the bank is about."""
    posting = company.posting(transaction_id)
    row: dict[str, Any] = {"account_id": company.row(like)["account_id"], "amount_cents": posting.amount_cents}
    company.in_xero("bank-transactions", row | {"type": "SPEND", "date": str(posting.date), "contact": posting.label})


def test_a_row_typed_by_hand_leaves_in_doubt_only_the_transaction_that_it_is_like(office: Office) -> None:
    company = office.established()
    [first] = company.moves(spends(100))
    office.night()
    like, other = company.moves(spends(500, "Nube"), spends(700, "Bakery"))
    office.world.fault("drop", when="before")
    office.world.fault("status", status=500, when="before")
    office.at_23()
    office.turn()
    _type_by_hand(company, like, first)
    office.run_until_quiet()
    office.night()

    assert company.state(like) == "uncertain: not_looked_up"
    assert company.state(other) == "posted"
    assert all(line.holds for line in lines_of_database(company.connection, office.world.now))
    office.xero_answers(lambda found: [row for row in found if row.get("Url")])
    office.night()
    assert company.state(like) == "posted"


def test_a_row_typed_by_hand_while_disconnected_holds_only_the_transaction_that_it_is_like(office: Office) -> None:
    company = office.established()
    [first] = company.moves(spends(100))
    office.night()
    account = company.row(first)["account_id"]
    office.morning()
    office.disconnect(company)
    office.world.wait(hours=5)
    like, other = company.moves(spends(500, "Nube"), spends(700, "Bakery"))
    by_hand = {"account_id": account, "amount_cents": 500, "type": "SPEND", "contact": "Nube"}
    company.in_xero("bank-transactions", by_hand | {"date": office.world.now.date().isoformat()})
    office.world.wait(hours=1)
    office.reconnect(company)
    office.night()
    [later] = company.moves(spends(900))
    office.night()

    assert company.state(like) == "held: unrecognised_in_xero"
    assert [company.state(other), company.state(later)] == ["posted", "posted"]
    company.missing[like] = "held: unrecognised_in_xero"
