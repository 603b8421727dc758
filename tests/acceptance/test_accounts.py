"""Each active Qonto account has one account of ours in Xero, whatever people do to it."""

from __future__ import annotations

from typing import Any

import pytest

from models.bank_account import BankAccount
from services.check import check_over
from services.view_accounts import view_accounts
from services.view_integration import view_integration
from tests.acceptance.world import Company, Office, spends

pytestmark = pytest.mark.acceptance


def active(company: Company) -> list[str]:
    """The names of the bank accounts of ours that can be used."""
    return sorted(a["name"] for a in company.bank_accounts(made_by="api", status="ACTIVE", deleted=False))


@pytest.mark.parametrize(("what", "deleted_account"), [("delete", "gone"), ("delete", "listed"), ("archive", "gone")])
def test_an_account_deleted_or_archived_in_xero_is_made_again_and_its_history_not_sent_again(
    office: Office, what: str, deleted_account: str
) -> None:
    office.world.settings(deleted_account=deleted_account)
    company = office.connected()
    [old] = company.moves(spends(100))
    office.night()
    [first] = company.bank_accounts()
    company.in_xero(f"accounts/{first['id']}/{what}")
    [new] = company.moves(spends(200))

    office.night()
    office.night()

    assert len(active(company)) == 1
    assert company.row(old)["account_id"] == first["id"]
    assert company.row(new)["account_id"] != first["id"]
    assert len(company.bank_accounts(made_by="api")) == 2


def test_an_account_deleted_twice_has_a_third_generation(office: Office) -> None:
    company = office.established()
    for cents in (100, 200):
        [account] = company.bank_accounts(status="ACTIVE", deleted=False)
        company.in_xero(f"accounts/{account['id']}/archive")
        company.moves(spends(cents))
        office.night()

    assert len({account["code"] for account in company.bank_accounts()}) == 3
    assert company.states() == {"posted": 2}


def test_an_account_closed_in_qonto_is_not_made_again_and_nothing_of_it_is_lost_to_sight(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    company.moves(spends(100, account_id=old))
    office.night()
    [in_xero] = company.bank_accounts(name="Old")
    [late] = company.moves(spends(200, account_id=old))
    company.at_qonto(f"accounts/{old}/close")
    company.in_xero(f"accounts/{in_xero['id']}/delete")

    office.night()

    assert active(company) == ["Main"]
    company.missing[late] = "excluded: account_closed_and_gone"


def test_what_settled_before_an_account_was_closed_still_reaches_its_account_in_xero(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Main"}, {"name": "Old"}])
    office.night()
    company.moves(spends(200, account_id=company.account_ids[1]))
    company.at_qonto(f"accounts/{company.account_ids[1]}/close")

    office.night()

    assert company.states() == {"posted": 1}


def test_an_account_opened_later_appears_by_itself(office: Office) -> None:
    company = office.established()
    opened = company.opens_account("Taxes")
    company.moves(spends(100, account_id=opened))

    office.night()

    assert active(company) == ["Main", "Taxes"]
    assert company.states() == {"posted": 1}


def test_an_account_made_by_hand_is_never_touched_even_with_our_name_or_our_iban(office: Office) -> None:
    company = office.company(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    main, taxes = company.known["accounts"]
    by_hand = [
        company.in_xero("accounts", {"name": "MAIN", "code": "", "type": "BANK", "bank_account_number": "1"}),
        company.in_xero(
            "accounts", {"name": "Bank", "code": "1", "type": "BANK", "bank_account_number": taxes["iban"]}
        ),
    ]
    office.connect(company)
    company.moves(spends(100), spends(200, account_id=taxes["id"]))

    office.night()

    assert active(company) == [f"Main ({main['iban'][-4:]})", "Taxes"]
    assert company.bank_accounts(made_by="person") == by_hand


def test_two_accounts_of_one_name_are_two_accounts(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Main"}, {"name": "Main"}, {"name": "Main"}])
    company.moves(*(spends(100, account_id=account_id) for account_id in company.account_ids))

    office.night()

    assert len(set(active(company))) == 3


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("action", ["drop", "garbage", "status"])
def test_an_account_whose_creation_got_no_answer_is_there_once(office: Office, action: str, when: str) -> None:
    company = office.connected()
    company.moves(spends(100))
    office.world.fault(action, path="/Accounts$", when=when)

    office.night()

    assert active(company) == ["Main"]
    assert len(company.bank_accounts()) == 1
    assert company.states() == {"posted": 1}


def test_a_creation_that_came_through_after_xero_forgot_its_key_is_found_by_its_code(office: Office) -> None:
    company = office.connected()
    office.world.fault("drop", path="/Accounts$", when="after", times=1)
    office.at_23()
    office.turn()
    office.world.wait(hours=24)

    office.run_until_quiet()

    assert len(company.bank_accounts()) == 1
    assert len([request for request in company.requests() if '"Type":"BANK"' in request.body]) == 1


def test_one_account_that_xero_refuses_holds_no_other(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Pounds", "currency": "GBP"}, {"name": "Euros"}])
    [pounds, euros] = company.moves(*(spends(100, account_id=account_id) for account_id in company.account_ids))

    office.night()

    assert active(company) == ["Euros"]
    assert company.state(euros) == "posted"
    assert "not subscribed to currency" in company.runs()[-1].reason
    company.missing[pounds] = "held: currency_not_enabled"


def test_one_account_whose_list_qonto_cannot_give_holds_no_other(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    taxes = company.account_ids[1]
    slow, fast = company.moves(spends(100, account_id=taxes), spends(200))
    office.at_23()
    lists: dict[str, Any] = {"service": "qonto", "method": "GET", "path": "/transactions$", "tenant": company.id}
    office.world.fault("status", status=500, skip=1, **lists)

    office.turn()

    assert {company.state(slow), company.state(fast)} == {"posted", "unknown"}
    office.run_until_quiet()
    assert company.states() == {"posted": 2}


def test_one_organisation_that_fails_holds_no_other(office: Office) -> None:
    broken, sound = office.established("Broken SL"), office.connected("Sound SL")
    [payment] = broken.moves(spends(100))
    sound.moves(spends(200))
    office.at_23()
    office.world.fault("status", method="GET", path="/Accounts$", tenant=broken.tenant, times=None)

    office.turn()

    assert sound.states() == {"posted": 1}
    office.run_until_quiet()
    assert broken.runs()[-1].state == "failed"
    office.world.end_faults()
    office.night()
    assert broken.state(payment) == "posted"


def test_an_account_in_another_currency_that_xero_has_is_kept_in_that_currency(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Pounds", "currency": "GBP"}], xero={"currencies": ["GBP"]})
    [payment] = company.moves(spends(100))

    office.night()

    assert company.bank_accounts()[0]["currency"] == company.row(payment)["currency"] == "GBP"


def test_an_account_renamed_in_qonto_stays_the_same_account_in_xero(office: Office) -> None:
    company = office.established()
    company.at_qonto(f"accounts/{company.account_id}/rename", {"name": "Daily"})
    company.moves(spends(100))

    office.night()

    assert active(company) == ["Main"]
    assert company.states() == {"posted": 1}


def test_an_older_account_that_a_person_restored_in_place_of_the_newer_one_is_posted_to(office: Office) -> None:
    company = office.established()
    [first] = company.bank_accounts()
    company.in_xero(f"accounts/{first['id']}/archive")
    office.night()
    [second] = company.bank_accounts(status="ACTIVE")
    company.in_xero(f"accounts/{first['id']}/unarchive")
    company.in_xero(f"accounts/{second['id']}/archive")
    [payment] = company.moves(spends(100))

    office.night()

    assert company.row(payment)["account_id"] == first["id"]
    assert [(view.generation, view.in_xero) for view in view_accounts(company.connection)] == [(1, "live"), (2, "gone")]
    seen = view_integration(company.id, office.world.now)
    assert seen
    assert seen.has_all_accounts


def test_of_two_accounts_that_are_both_active_the_newer_is_posted_to_night_after_night(office: Office) -> None:
    company = office.established()
    [first] = company.bank_accounts()
    company.in_xero(f"accounts/{first['id']}/archive")
    office.night()
    [second] = company.bank_accounts(status="ACTIVE")
    company.in_xero(f"accounts/{first['id']}/unarchive")
    payments = []
    for _ in range(3):
        payments += company.moves(spends(100))
        office.night()

    assert {company.row(payment)["account_id"] for payment in payments} == {second["id"]}
    [line] = [line for line in check_over(company.connection, office.workbench).invariants if line.name == "I4"]
    assert line.violations[0].startswith(f"account {company.account_id} has 2 in Xero")
    company.in_xero(f"accounts/{second['id']}/archive")  # the person makes up their mind
    payments += company.moves(spends(200))
    office.night()
    assert company.row(payments[-1])["account_id"] == first["id"]


def test_a_version_of_an_account_from_the_future_hides_no_later_one(office: Office) -> None:
    company = office.connected()
    office.qonto_lists_accounts(lambda them: [one | {"updated_at": "2099-01-01T00:00:00.000Z"} for one in them])
    office.night()
    office.restart()
    office.world.wait(hours=2)
    company.at_qonto(f"accounts/{company.account_id}/rename", {"name": "Daily"})

    office.night()

    assert BankAccount.get_by_id(company.account_id).name == "Daily"
