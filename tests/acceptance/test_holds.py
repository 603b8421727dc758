"""What Xero cannot take now is held with its reason, and lets go by itself once the reason is gone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.reasons import sentence
from services.explain import explain
from tests.acceptance.world import Company, Office, before, spends

pytestmark = pytest.mark.acceptance


@dataclass(frozen=True)
class Hindrance:
    """What a person does in Xero, how we say it, and how the person undoes it."""

    reason: str
    put: Callable[[Company], Any]
    lift: Callable[[Company], Any]


HINDRANCES = {
    "the lock date was moved": Hindrance(
        "lock_date",
        lambda company: company.in_xero("lock-date", {"period_lock_date": "2099-01-01"}),
        lambda company: company.in_xero("lock-date", {"period_lock_date": None}),
    ),
    "the coding account was archived": Hindrance(
        "account_code",
        lambda company: company.in_xero(f"accounts/{company.account_with_code('429')['id']}/archive"),
        lambda company: company.in_xero(f"accounts/{company.account_with_code('429')['id']}/unarchive"),
    ),
}


@pytest.mark.parametrize("what", HINDRANCES)
def test_what_is_held_is_sent_the_night_after_its_reason_has_gone(office: Office, what: str) -> None:
    hindrance = HINDRANCES[what]
    company = office.company()
    office.connect(company, money_in_code="200", money_out_code="429", fees_code="404")
    company.moves(spends(50))
    office.night()
    [held] = company.moves(spends(100))
    hindrance.put(company)

    office.night()
    office.night()

    assert company.state(held) == f"held: {hindrance.reason}"
    [story] = explain(held)
    assert story.reason == sentence(hindrance.reason) != hindrance.reason
    hindrance.lift(company)
    office.night()
    assert company.state(held) == "posted"


def test_an_outage_of_the_lock_date_holds_only_what_waits_for_it(office: Office) -> None:
    company = office.established()
    company.in_xero("lock-date", {"period_lock_date": "2099-01-01"})
    [waiting] = company.moves(spends(100))
    office.night()
    company.in_xero("lock-date", {"period_lock_date": None})
    [other] = company.moves(spends(200))
    office.world.fault("status", method="GET", path="/Organisation$", status=503, times=1)
    office.at_23()

    office.turn()

    assert (company.state(waiting), company.state(other)) == ("held: lock_date", "posted")
    office.run_until_quiet()
    assert company.state(waiting) == "posted"


def test_a_currency_that_xero_does_not_have_holds_its_account_until_it_is_added(office: Office) -> None:
    pounds = {"base_currency": "GBP", "currencies": []}
    company = office.connected(xero=pounds)
    [held] = company.moves(spends(100))

    office.night()

    assert company.state(held) == "held: currency_not_enabled"
    assert company.bank_accounts() == []
    company.in_xero("currencies", {"add": ["EUR"]})
    office.night()
    assert company.state(held) == "posted"


def test_a_code_that_xero_does_not_have_holds_only_the_lines_that_are_coded_to_it(office: Office) -> None:
    company = office.company()
    office.connect(company, money_in_code="200", money_out_code="wrong", fees_code="404")
    held, fee = company.moves(spends(100), spends(200, operation_type="qonto_fee"))

    office.night()

    assert company.state(held) == "held: account_code"
    assert company.state(fee) == "posted"
    office.choose(company, money_out_code="429")
    office.night()
    assert company.state(held) == "posted"


def test_an_account_code_archived_during_the_night_is_held_by_xeros_own_words(office: Office) -> None:
    company = office.established()
    coding = company.coding_account()
    archived = f"accounts/{coding['id']}/archive"
    [held] = company.moves(spends(100))
    office.at_23()

    with before("services.post_due.post_transactions", lambda: company.in_xero(archived)):
        office.run_until_quiet()

    assert company.state(held) == "held: account_code"
    assert coding["code"] in company.posting(held).reason_detail
    office.night()
    assert company.state(held) == "posted"


def test_the_archived_coding_account_is_left_alone_and_another_one_made(office: Office) -> None:
    company = office.established()
    coding = company.coding_account()
    company.in_xero(f"accounts/{coding['id']}/archive")
    [payment] = company.moves(spends(100))

    office.night()

    assert company.row(payment)["line_account_code"] != coding["code"]
    assert company.connection.default_code == company.row(payment)["line_account_code"]


def test_a_refusal_that_we_do_not_know_is_tried_on_three_nights_and_then_final(office: Office) -> None:
    company = office.established()
    [refused] = company.moves(spends(100))
    office.workbench = replace(office.workbench, qonto_app_url="a link that is none")
    states = []
    for _ in range(4):
        office.night()
        states.append(company.state(refused))

    assert states == ["held: refused_for_now"] * 2 + ["rejected: refused_by_xero"] * 2
    assert len(company.postings_sent()) == 3
    [story] = explain(refused)
    assert story.reason == sentence("refused_by_xero")
    assert "Url must be a valid absolute URL" in story.detail
    company.missing[refused] = "rejected: refused_by_xero"


def test_one_bad_row_never_holds_the_others_of_its_batch(office: Office) -> None:
    company = office.company()
    office.connect(company, starts_at=datetime(2026, 1, 1, tzinfo=UTC))
    company.in_xero("lock-date", {"period_lock_date": "2026-06-30"})
    old, new = company.moves(spends(100, settled_at="2026-06-30T10:00:00Z"), spends(200))

    office.night()

    assert company.state(old) == "held: lock_date"
    assert company.state(new) == "posted"
    company.missing[old] = "held: lock_date"


def test_a_row_in_another_currency_than_its_account_is_held_and_never_converted(office: Office) -> None:
    company = office.established()
    [odd, plain] = company.moves(spends(100), spends(200))
    office.qonto_says(lambda row: row | {"currency": "USD"} if row["id"] == odd else row)

    office.night()

    assert company.state(plain) == "posted"
    company.missing[odd] = "held: currency_differs"


def test_a_contact_that_was_archived_holds_its_rows_and_they_are_tried_each_night(office: Office) -> None:
    company = office.established()
    company.moves(spends(50, "Nube"))
    office.night()
    held, other = company.moves(spends(100, "Nube"), spends(200, "Bakery"))
    [nube] = office.contacts(company, "Nube")
    company.in_xero(f"contacts/{nube}/archive")

    office.night()
    office.night()

    assert company.state(other) == "posted"
    assert [held in request.body for request in company.postings_sent()] == [False, True, True]
    company.missing[held] = "held: contact_archived"


def test_a_refusal_that_we_do_not_know_is_tried_once_a_night_however_many_turns_the_night_takes(
    office: Office,
) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    payments = company.moves(*(spends(100, account_id=account_id) for account_id in company.account_ids))
    office.workbench = replace(office.workbench, qonto_app_url="a link that is none")
    lists: dict[str, Any] = {"service": "qonto", "method": "GET", "path": "/transactions$", "tenant": company.id}
    office.world.fault("status", status=500, skip=1, **lists)

    office.night()

    company.missing |= dict.fromkeys(payments, "held: refused_for_now")
    sent = Counter(url for request in company.postings_sent() for url in request.urls())
    assert set(sent.values()) == {1}


def test_sends_that_got_no_answer_are_no_refusals(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    account = company.bank_accounts()[0]["id"]
    office.at_23()
    office.world.fault("status", status=500, times=2)  # remembered under its key, twice
    for _ in range(2):
        office.turn()
        office.world.wait(minutes=8)
    archive = f"accounts/{account}/archive"
    with before("services.post_due.post_transactions", lambda: company.in_xero(archive)):
        office.run_until_quiet()

    assert company.state(payment) == "held: refused_for_now"
    office.night()
    assert company.state(payment) == "posted"


def test_a_row_dated_on_the_lock_date_itself_stays_held_and_one_of_the_next_day_is_sent(office: Office) -> None:
    company = office.company()
    office.connect(company, starts_at=datetime(2026, 1, 1, tzinfo=UTC))
    company.in_xero("lock-date", {"period_lock_date": "2026-07-31"})
    on_it, after = company.moves(
        spends(100, settled_at="2026-06-30T10:00:00Z"), spends(200, settled_at="2026-07-01T10:00:00Z")
    )
    office.night()
    assert company.states() == {"held: lock_date": 2}
    company.in_xero("lock-date", {"period_lock_date": "2026-06-30"})

    office.night()

    assert company.state(after) == "posted"
    assert [on_it in request.body for request in company.postings_sent()] == [True, False]
    company.missing[on_it] = "held: lock_date"


def test_what_one_organisation_lets_go_of_is_its_own(office: Office) -> None:
    first, second = office.established("First SL"), office.established("Second SL")
    [mine], [theirs] = first.moves(spends(100)), second.moves(spends(100))
    for company in (first, second):
        company.in_xero("lock-date", {"period_lock_date": "2099-01-01"})
    office.night()
    assert first.state(mine) == second.state(theirs) == "held: lock_date"
    first.in_xero("lock-date", {"period_lock_date": None})

    office.sync_now(first)

    assert first.state(mine) == "posted"
    assert second.state(theirs) == "held: lock_date"
    second.missing[theirs] = "held: lock_date"


def test_a_refusal_that_we_do_not_know_counts_once_a_day_however_often_a_person_syncs(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    error = {"Type": "ValidationException", "Elements": [{"ValidationErrors": [{"Message": "Some passing fault"}]}]}
    office.world.fault("status", status=400, times=None, text=json.dumps(error))
    for _ in range(4):
        office.sync_now(company)
        office.world.wait(seconds=1)
    assert company.state(payment) == "held: refused_for_now"
    for _ in range(3):
        office.night()

    assert company.state(payment) == "rejected: refused_by_xero"
    company.missing[payment] = "rejected: refused_by_xero"


def test_an_error_page_in_front_of_xero_is_no_refusal_of_a_transaction(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.world.fault("status", status=404, times=None, text="<html>Not Found</html>")
    for _ in range(4):
        office.night()

    assert company.state(payment) == "held: no_answer"
    office.world.end_faults()
    office.night()
    assert company.state(payment) == "posted"
