"""What Xero answers row by row: a refusal that is our own doing, a row that is otherwise than it was sent, no link."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from clients.http import Answer, Http
from clients.xero.bank_transactions import NO_ID
from domain.reasons import sentence
from services.check_database import lines_of_database
from services.explain import explain
from tests.acceptance.world import Office, Row, spends

pytestmark = pytest.mark.acceptance

TAKEN = (
    "The contact name {} is already assigned to another contact. The contact name must be unique across all active"
    " contacts."
)


class Racing(Http):
    """Passes everything on, but refuses rows of one contact so often, as if another request had just made it."""

    def __init__(self, http: Http, name: str, times: int) -> None:
        self._http, self._name, self._left = http, name, times
        self.sizes: list[int] = []  # of the requests that held such a row

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
        def pass_on(bytes_: bytes | None) -> Answer:
            return self._http.call(method, url, headers=headers, params=params, body=bytes_, not_after=not_after)

        if method != "PUT" or not url.endswith("/BankTransactions") or self._name not in (body or b"").decode():
            return pass_on(body)
        elements = json.loads(body or b"")["BankTransactions"]
        self.sizes.append(len(elements))
        if not self._left:
            return pass_on(body)
        self._left -= 1
        refused = [one for one in elements if one["Contact"]["Name"] == self._name]
        others = [one for one in elements if one not in refused]
        told: Row = {"BankTransactions": []}
        if others:
            answer = pass_on(json.dumps({"BankTransactions": others}).encode())
            told = json.loads(answer.body)
        error = {"ValidationErrors": [{"Message": TAKEN.format(self._name)}], "StatusAttributeString": "ERROR"}
        told["BankTransactions"] += [one | error | {"BankTransactionID": NO_ID} for one in refused]
        return Answer(200, {}, json.dumps(told).encode())


def test_a_contact_that_our_own_other_request_made_costs_a_second_request_by_itself_the_same_night(
    office: Office,
) -> None:
    company = office.established()
    ours = company.moves(spends(100, "Brand New"), spends(200, "Brand New"), spends(300, "Old"))
    racing = Racing(office.workbench.http, "Brand New", times=1)
    office.workbench = replace(office.workbench, http=racing)

    office.night()

    assert company.states() == {"posted": 3}
    assert racing.sizes == [3, 1, 1]
    assert [company.posting(one).refusals for one in ours] == [0, 0, 0]
    [story] = explain(ours[0])
    assert any(sentence("refused_beside_others") in step.what for step in story.steps)
    assert all(line.holds for line in lines_of_database(company.connection, office.world.now))


def test_the_same_refusal_of_a_row_that_travelled_alone_is_held_until_the_next_night(office: Office) -> None:
    company = office.established()
    [one] = company.moves(spends(100, "Brand New"))
    racing = Racing(office.workbench.http, "Brand New", times=2)
    office.workbench = replace(office.workbench, http=racing)

    office.night()

    assert company.state(one) == "held: refused_for_now"
    assert racing.sizes == [1, 1]
    office.night()
    assert company.state(one) == "posted"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Total": 9.99}, "amount 1.00 is 9.99 in Xero"),
        ({"Type": "RECEIVE"}, "direction SPEND is RECEIVE in Xero"),
        ({"BankAccount": {"AccountID": "another"}}, "is another in Xero"),
        ({"DateString": "2020-01-02T00:00:00"}, "is 2020-01-02 in Xero"),
        ({"CurrencyCode": "USD"}, "currency EUR is USD in Xero"),
    ],
)
def test_a_row_that_xero_took_otherwise_than_it_was_sent_is_named_and_never_sent_again(
    office: Office, change: Row, told: str
) -> None:
    company = office.established()
    [one, other] = company.moves(spends(100), spends(200))
    office.xero_answers(lambda rows: [row | change if one in row.get("Url", "") else row for row in rows])

    office.night()

    assert company.state(one) == "posted: answered_otherwise_by_xero"
    assert company.state(other) == "posted"
    night = [run for run in company.runs() if run.kind == "nightly"][-1]
    assert one in night.reason
    assert told in night.reason
    [problem] = company.told("sync.problem")[-1]["data"]["problems"]
    assert (problem["code"], problem["transactions"]) == ("answered_otherwise_by_xero", 1)
    [story] = explain(one)
    assert told in story.detail
    office.restart()
    office.night()
    assert len(company.postings_sent()) == 1
    assert [event["data"]["problems"] for event in company.told("sync.problem")] == [[problem]]


@pytest.mark.parametrize("missing", ["Total", "Type", "BankAccount", "DateString", "CurrencyCode"])
def test_what_xeros_answer_does_not_show_is_no_difference(office: Office, missing: str) -> None:
    company = office.established()
    company.moves(spends(100))
    office.xero_answers(lambda rows: [{key: value for key, value in row.items() if key != missing} for row in rows])
    office.at_23()
    office.turn()

    assert company.states() == {"posted": 1}


def _without_link(row: Row) -> Row:
    is_refused = row.get("StatusAttributeString") == "ERROR"
    return {key: value for key, value in row.items() if key != "Url"} if is_refused else row


def test_refusals_without_a_link_are_told_apart_by_what_they_show(office: Office) -> None:
    company = office.established()
    company.moves(spends(50, "Nube"))
    office.night()
    [nube] = office.contacts(company, "Nube")
    company.in_xero(f"contacts/{nube}/archive")
    first, fine, second = company.moves(spends(100, "Nube"), spends(200, "Bakery"), spends(300, "Nube"))
    office.xero_answers(lambda rows: [_without_link(row) for row in rows])
    office.at_23()
    asked = office.world.last_request()

    office.turn()

    assert company.state(fine) == "posted"
    assert company.state(first) == company.state(second) == "held: contact_archived"
    assert len(company.postings_sent(asked)) == 1
    company.missing |= dict.fromkeys((first, second), "held: contact_archived")


def test_a_refusal_without_a_link_beside_a_row_without_an_answer_stays_uncertain(office: Office) -> None:
    company = office.established()
    company.moves(spends(50, "Nube"))
    office.night()
    [nube] = office.contacts(company, "Nube")
    company.in_xero(f"contacts/{nube}/archive")
    refused, left_out = company.moves(spends(100, "Nube"), spends(200, "Bakery"))
    office.xero_answers(lambda rows: [_without_link(row) for row in rows if left_out not in row.get("Url", "")])
    office.at_23()

    office.turn()

    assert company.state(refused) == company.state(left_out) == "uncertain"
    office.restart()
    office.run_until_quiet()
    assert company.state(refused) == "held: contact_archived"
    assert company.state(left_out) == "posted"
    company.missing[refused] = "held: contact_archived"
