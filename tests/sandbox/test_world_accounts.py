"""Xero's rules for accounts and currencies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.world_client import Party, messages, spend

NEW = {"Name": "Qonto Taxes", "Code": "QTAX", "Type": "BANK", "BankAccountNumber": "FR7699"}


def names(party: Party, where: str = 'Type=="BANK"') -> list[str]:
    return [account["Name"] for account in party.xero("GET", "Accounts", params={"where": where}).json()["Accounts"]]


def test_a_created_bank_account_has_the_base_currency_and_is_found_by_its_code(party: Party) -> None:
    account = party.xero("PUT", "Accounts", NEW).json()["Accounts"][0]
    assert (account["CurrencyCode"], account["Status"], account["Class"]) == ("EUR", "ACTIVE", "ASSET")
    assert names(party, 'Code=="QTAX" AND Status=="ACTIVE"') == ["Qonto Taxes"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"Name": "qonto main"}, "Please enter a unique Name."),
        ({"Code": "QMAIN"}, "Please enter a unique Code."),
        ({"Code": "12345678901"}, "Account Code is too long. Maximum of 10 characters allowed"),
        ({"BankAccountNumber": ""}, "Please enter a valid Bank Account Number."),
        ({"CurrencyCode": "USD"}, "The current organisation is not subscribed to currency 'USD'."),
        ({"Description": "no"}, "Description is not valid on Bank Accounts"),
        ({"Name": "n" * 151}, "Account Name is too long. Maximum of 150 characters allowed"),
        ({"Type": "WHAT"}, "Account Type is not valid"),
    ],
)
def test_a_bad_account_is_refused_in_xeros_words(
    party: Party, bank_account: str, change: dict[str, Any], text: str
) -> None:
    assert messages(party.xero("PUT", "Accounts", {**NEW, **change})) == [text]


def test_only_one_account_goes_in_a_request(party: Party) -> None:
    answer = party.xero("PUT", "Accounts", {"Accounts": [NEW, {**NEW, "Name": "b", "Code": "b"}]})
    assert messages(answer) == ["Only one account can be sent in a request"]


def test_a_currency_can_be_subscribed_to_and_then_used(party: Party) -> None:
    assert party.xero("PUT", "Currencies", {"Code": "USD"}).status_code == 200
    codes = [currency["Code"] for currency in party.xero("GET", "Currencies").json()["Currencies"]]
    assert codes == ["EUR", "USD"]
    assert party.xero("PUT", "Accounts", {**NEW, "CurrencyCode": "USD"}).status_code == 200


def test_an_archived_account_is_listed_and_blocks_its_name_and_code(party: Party, bank_account: str) -> None:
    body = {"AccountID": bank_account, "Status": "ARCHIVED"}
    assert party.xero("POST", f"Accounts/{bank_account}", body).status_code == 200
    assert names(party) == ["Qonto Main"]
    assert messages(party.xero("PUT", "Accounts", {**NEW, "Code": "QMAIN"})) == ["Please enter a unique Code."]
    party.world.settings(archived_blocks_reuse=False)
    assert party.xero("PUT", "Accounts", {**NEW, "Code": "QMAIN"}).status_code == 200
    by_code = spend(bank_account, BankAccount={"Code": "QMAIN"})
    booked = party.xero("PUT", "BankTransactions", by_code).json()["BankTransactions"][0]
    assert booked["BankAccount"]["Name"] == NEW["Name"]


def test_a_bank_accounts_details_cannot_be_changed_but_another_accounts_can(party: Party, bank_account: str) -> None:
    assert messages(party.xero("POST", f"Accounts/{bank_account}", {"Name": "x"})) == ["Cannot update Bank Accounts"]
    other = party.xero("PUT", "Accounts", {"Name": "To code", "Code": "TC", "Type": "EXPENSE"}).json()["Accounts"][0]
    changed = party.xero("POST", f"Accounts/{other['AccountID']}", {"Name": "Waiting to be coded"})
    assert changed.json()["Accounts"][0]["Name"] == "Waiting to be coded"


def test_details_and_status_cannot_change_together(party: Party, bank_account: str) -> None:
    answer = party.xero("POST", f"Accounts/{bank_account}", {"Name": "x", "Status": "ARCHIVED"})
    assert messages(answer) == ["Cannot update account details and STATUS on the same request"]


@pytest.mark.parametrize("reads", ["gone", "listed"])
def test_an_unused_account_can_be_deleted_by_api(party: Party, bank_account: str, reads: str) -> None:
    party.world.settings(deleted_account=reads)
    assert party.xero("DELETE", f"Accounts/{bank_account}").json()["Accounts"][0]["Status"] == "DELETED"
    assert party.xero("GET", f"Accounts/{bank_account}").status_code == (404 if reads == "gone" else 200)
    assert names(party) == ([] if reads == "gone" else ["Qonto Main"])


def test_a_used_account_is_deleted_only_by_a_person_and_its_rows_stay(party: Party, bank_account: str) -> None:
    row = party.xero("PUT", "BankTransactions", spend(bank_account)).json()["BankTransactions"][0]
    assert party.xero("DELETE", f"Accounts/{bank_account}").status_code == 400
    party.world.control("POST", f"/xero/{party.tenant}/accounts/{bank_account}/delete")
    assert party.xero("GET", f"Accounts/{bank_account}").status_code == 404
    assert party.xero("GET", f"BankTransactions/{row['BankTransactionID']}").status_code == 200
    assert messages(party.xero("PUT", "BankTransactions", spend(bank_account, 2))) == ["Account must be valid"]


def test_accounts_modified_since_a_second_are_listed(party: Party, bank_account: str) -> None:
    for since, expected in (("2026-11-20T12:00:00", ["Qonto Main"]), ("2026-11-20T12:00:01", [])):
        answer = party.xero("GET", "Accounts", headers={"If-Modified-Since": since}, params={"where": 'Type=="BANK"'})
        assert [account["Name"] for account in answer.json()["Accounts"]] == expected


def test_a_person_can_make_rename_and_archive_accounts(party: Party) -> None:
    control = f"/xero/{party.tenant}/accounts"
    made = party.world.control("POST", control, {"name": "By hand", "code": "H1", "bank_account_number": "1"})
    assert made["made_by"] == "person"
    party.world.control("POST", f"{control}/{made['id']}/rename", {"name": "Renamed", "code": "H2"})
    party.world.control("POST", f"{control}/{made['id']}/archive")
    assert names(party, 'Status=="ARCHIVED" && Code=="H2"') == ["Renamed"]


def test_the_organisation_shows_its_lock_date_only_when_set(party: Party) -> None:
    assert "PeriodLockDate" not in party.xero("GET", "Organisation").json()["Organisations"][0]
    party.world.control("POST", f"/xero/{party.tenant}/lock-date", {"period_lock_date": "2026-10-31"})
    organisation = party.xero("GET", "organisation").json()["Organisations"][0]
    assert organisation["PeriodLockDate"] == "/Date(1793404800000+0000)/"
    assert organisation["OrganisationID"] == party.tenant


def test_xml_comes_to_those_who_do_not_accept_json(party: Party) -> None:
    answer = party.xero("GET", "Organisation", headers={"Accept": "*/*"})
    assert answer.headers["Content-Type"].startswith("text/xml")


def test_an_unknown_resource_is_a_404_in_plain_text(party: Party) -> None:
    answer = party.xero("GET", "Accounts/00000000-0000-0000-0000-000000000000")
    assert (answer.status_code, answer.text) == (404, "The resource you're looking for cannot be found")
