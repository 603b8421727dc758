"""Accounts that Xero refuses: another number is tried, and what may pass lets go as soon as a person mended it."""

from __future__ import annotations

import json
import re

import pytest

from domain.marks import account_mark
from domain.reasons import sentence
from models.bank_account import AccountLink
from services.view_accounts import view_accounts
from services.view_integration import view_integration
from tests.acceptance.world import Company, Office, read_log, spends

pytestmark = pytest.mark.acceptance

NUMBER_REFUSED = json.dumps({"Message": "Please enter a valid Bank Account Number."})


def numbers_asked_for(company: Company) -> list[str]:
    """The account numbers of our requests for bank accounts, oldest first."""
    asked = [one.body for one in company.requests() if one.method == "PUT" and one.path.endswith("/Accounts")]
    return [found["BankAccountNumber"] for found in map(json.loads, asked) if found["Type"] == "BANK"]


def keys_of_creations(office: Office, company: Company) -> list[str]:
    log = read_log(office.world, company.first_request)
    return [one.key for one in log if one.method == "PUT" and one.path.endswith("/Accounts") and '"BANK"' in one.body]


def test_an_australian_organisation_gets_a_number_in_its_own_form(office: Office) -> None:
    company = office.connected(xero={"country_code": "AU"})
    [payment] = company.moves(spends(100))

    office.night()

    [account] = company.bank_accounts()
    iban = company.known["accounts"][0]["iban"]
    assert re.fullmatch(r"000-000-\d{7}", account["bank_account_number"])
    assert account["bank_account_number"].endswith(re.sub(r"\D", "", iban)[-7:])
    assert company.row(payment)["account_id"] == account["id"]
    [view] = view_accounts(company.connection)
    assert (view.in_xero, view.why) == ("live", sentence("another_account_number"))
    assert "does not take its IBAN" in company.runs()[-1].reason


def test_where_the_countrys_form_is_not_known_our_mark_is_the_number(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100))
    iban = company.known["accounts"][0]["iban"]
    office.world.fault("status", path="/Accounts$", status=400, text=NUMBER_REFUSED, body=iban, times=None)

    office.night()

    mark = account_mark(company.account_id, 1)
    assert numbers_asked_for(company) == [iban, mark]
    assert [a["bank_account_number"] for a in company.bank_accounts()] == [mark]
    assert company.states() == {"posted": 1}


def test_an_account_for_which_every_number_is_refused_says_so_and_holds_no_other(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    main, taxes = company.account_ids
    [held, posted] = company.moves(spends(100, account_id=main), spends(200, account_id=taxes))
    office.world.fault(
        "status", path="/Accounts$", status=400, text=NUMBER_REFUSED, body=account_mark(main, 1), times=None
    )

    office.night()

    assert company.state(posted) == "posted"
    assert company.runs()[-1].state == "done"
    seen = view_integration(company.id, office.world.now)
    assert seen
    assert sentence("account_number_refused") in {problem.sentence for problem in seen.problems}
    assert company.told("sync.problem")[-1]["data"]["problems"] == [
        {
            "code": "account_number_refused",
            "sentence": sentence("account_number_refused"),
            "transactions": 1,
            "accounts": 1,
        }
    ]
    company.missing[held] = "held: account_number_refused"


def test_an_account_that_cannot_be_asked_for_to_the_end_is_named_and_the_night_is_done(office: Office) -> None:
    company = office.connected(xero={"country_code": "AU"})
    [held] = company.moves(spends(100))
    office.world.fault("status", path="/Organisation$", method="GET", status=404, times=None)

    office.night()

    assert company.state(held) == "held: account_not_in_xero"
    assert company.runs()[-1].state == "done"
    [view] = view_accounts(company.connection)
    assert (view.in_xero, view.why) == ("held", sentence("account_not_in_xero"))
    office.world.end_faults()
    office.night()
    assert company.state(held) == "posted"


def test_a_refused_creation_is_asked_for_under_a_new_key_so_that_a_sync_need_not_wait(office: Office) -> None:
    company = office.connect(office.company(xero={"base_currency": "GBP", "currencies": ["GBP"]}), follow=True)
    office.turn()
    [held] = company.moves(spends(100))
    company.in_xero("currencies", {"add": ["EUR"]})
    office.world.wait(minutes=2)  # Xero repeats what it said under a key for six

    office.sync_now(company)

    assert company.state(held) == "posted"
    assert len(set(keys_of_creations(office, company))) == 2
    assert AccountLink.get().refusals == 1


def test_a_creation_whose_answer_was_lost_is_asked_for_under_the_same_key(office: Office) -> None:
    company = office.connected()
    office.world.settings(xero_list_lag=3600)
    office.world.fault("drop", path="/Accounts$", when="after", body='"Type":"BANK"')

    office.night()

    first, second = keys_of_creations(office, company)
    assert first == second
    assert len(company.bank_accounts()) == 1


def test_a_refused_coding_account_is_asked_for_under_a_new_key_too(office: Office) -> None:
    company = office.connected()
    [payment] = company.moves(spends(100))
    words = json.dumps({"Message": "The chart of accounts is locked."})
    office.world.fault("status", path="/Accounts$", status=400, text=words, body="CURRENT", sticky_cached=True)
    office.night()
    assert company.state(payment) == "held: account_code"
    assert words[13:-2] in company.runs()[-1].reason
    office.world.wait(minutes=2)

    office.sync_now(company)

    assert company.state(payment) == "posted"
