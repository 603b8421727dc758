"""Creating, changing and deleting bank transactions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.world_client import Party, messages, spend

LINE = {"Description": "Servers", "Quantity": 1, "UnitAmount": 12.5, "AccountCode": "429"}
RECONCILED = "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement."


def create(party: Party, *rows: dict[str, Any], query: str = "") -> Any:
    return party.xero("PUT", f"BankTransactions{query}", {"BankTransactions": list(rows)})


def created_id(party: Party, bank_account: str, **changes: Any) -> str:
    return str(create(party, spend(bank_account, **changes)).json()["BankTransactions"][0]["BankTransactionID"])


def test_a_created_row_comes_back_as_xero_writes_it(party: Party, bank_account: str) -> None:
    answer = create(party, spend(bank_account))
    text, row = answer.text, answer.json()["BankTransactions"][0]
    assert r'"Date":"\/Date(1795046400000+0000)\/"' in text
    assert '"Total":12.50' in text
    assert row["DateString"] == "2026-11-19T00:00:00"
    assert (row["Status"], row["IsReconciled"], row["CurrencyCode"]) == ("AUTHORISED", False, "EUR")
    assert row["Contact"]["Name"] == "Nube Hosting"
    assert answer.json()["Id"] == answer.headers["Xero-Correlation-Id"]


def test_amounts_are_exact_whatever_their_size(party: Party, bank_account: str) -> None:
    line = {**LINE, "UnitAmount": "92233720368547.07"}
    answer = create(party, spend(bank_account, LineItems=[line]))
    assert '"Total":92233720368547.07' in answer.text
    assert party.ledger()["bank_transactions"][0]["cents"] == 9223372036854707


def test_unit_amounts_keep_four_decimals_only_when_asked(party: Party, bank_account: str) -> None:
    row = spend(bank_account, LineItems=[{**LINE, "Quantity": 100, "UnitAmount": "1.2346"}])
    assert create(party, row).json()["BankTransactions"][0]["Total"] == 123
    assert create(party, row, query="?unitdp=4").json()["BankTransactions"][0]["Total"] == 123.46


def test_a_contact_is_made_once_per_name(party: Party, bank_account: str) -> None:
    create(party, spend(bank_account, 1), spend(bank_account, 2, Contact={"Name": "NUBE hosting"}))
    contacts = party.xero("GET", "Contacts").json()["Contacts"]
    assert [contact["Name"] for contact in contacts] == ["Nube Hosting"]
    by_id = spend(bank_account, 3, Contact={"ContactID": contacts[0]["ContactID"]})
    assert create(party, by_id).status_code == 200


def test_an_archived_contact_takes_no_new_rows(party: Party, bank_account: str) -> None:
    contact = create(party, spend(bank_account)).json()["BankTransactions"][0]["Contact"]["ContactID"]
    party.world.control("POST", f"/xero/{party.tenant}/contacts/{contact}/archive")
    assert messages(create(party, spend(bank_account, 2)))[0].startswith("The contact with the specified contact")
    assert party.xero("GET", "Contacts").json()["Contacts"] == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"Contact": {}}, "The Contact must contain at least 1 of the following elements"),
        ({"Contact": {"Name": "a" * 256}}, "The Contact Name cannot be longer than 255"),
        ({"Contact": {"Name": "<b>"}}, "The Contact Name cannot contain angle brackets"),
        ({"Contact": {"Name": "two  spaces"}}, "The Contact Name cannot have leading, trailing or repeated"),
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"LineItems": [{**LINE, "AccountCode": "999"}]}, "Account code '999' is not a valid code for this document."),
        ({"LineItems": [{**LINE, "AccountCode": "QMAIN"}]}, "Account code 'QMAIN' is not a valid code"),
        ({"LineItems": [{**LINE, "UnitAmount": 0}]}, "UnitAmount must not be 0"),
        ({"LineItems": [{**LINE, "UnitAmount": -1}]}, "The total value of the bank transaction must be positive"),
        (
            {"LineItems": [LINE, {**LINE, "UnitAmount": -12.5}]},
            "The total value of the bank transaction must be positive",
        ),
        ({"LineItems": [{**LINE, "Description": ""}]}, "Description must be at least 1 character long"),
        ({"LineItems": [{**LINE, "Quantity": 0}]}, "Quantity must be greater than 0"),
        ({"LineItems": [{**LINE, "LineAmount": 3}]}, "The line total 3 does not match the expected line total 12.50"),
        ({"LineItems": [{**LINE, "TaxType": "X"}]}, "The TaxType code 'X' cannot be used with account code '429'."),
        ({"BankAccount": {"Code": "429"}}, "Account must be valid"),
        ({"BankAccount": {}}, "Account must be valid"),
        ({"CurrencyCode": "USD"}, "Organisation is not subscribed to currency USD"),
        ({"Url": "https://go.xero.com/1"}, "The Url field must not contain the word xero"),
        ({"Url": "not a link"}, "Url must be a valid absolute URL"),
        ({"Reference": "r" * 256}, "The Reference field cannot be longer than 255 characters"),
        ({"Type": "SPEND-TRANSFER"}, "Type must be SPEND or RECEIVE"),
        ({"LineAmountTypes": "Nothing"}, "LineAmountTypes is not valid"),
        ({"Total": 1}, "The document Total does not equal the total of the lines"),
        ({"Status": "DELETED"}, "A bank transaction can only be created with the status AUTHORISED"),
    ],
)
def test_a_bad_row_is_refused_with_a_reason(party: Party, bank_account: str, change: dict[str, Any], text: str) -> None:
    assert messages(create(party, spend(bank_account, **change)))[0].startswith(text)
    assert party.ledger()["bank_transactions"] == []


def test_a_line_on_an_archived_account_is_refused_in_xeros_words(party: Party, bank_account: str) -> None:
    expenses = next(account for account in party.ledger()["accounts"] if account["code"] == "429")
    for fate in ("archive", "delete"):
        party.world.control("POST", f"/xero/{party.tenant}/accounts/{expenses['id']}/{fate}")
        assert messages(create(party, spend(bank_account))) == [
            "Account code '429' has been archived, or has been deleted. Each line item must reference a valid account."
        ]


def test_an_archived_bank_account_takes_no_new_rows(party: Party, bank_account: str) -> None:
    party.world.control("POST", f"/xero/{party.tenant}/accounts/{bank_account}/archive")
    assert messages(create(party, spend(bank_account))) == ["The bank account has been archived"]


def test_a_row_on_or_before_a_lock_date_is_refused(party: Party, bank_account: str) -> None:
    party.world.control("POST", f"/xero/{party.tenant}/lock-date", {"period_lock_date": "2026-11-19"})
    text = "The document date cannot be before the period lock date, currently set at 19 November 2026"
    assert messages(create(party, spend(bank_account))) == [text]
    assert create(party, spend(bank_account, Date="2026-11-20")).status_code == 200


def test_a_row_in_a_locked_year_cannot_be_deleted(party: Party, bank_account: str) -> None:
    row = created_id(party, bank_account)
    party.world.control("POST", f"/xero/{party.tenant}/lock-date", {"end_of_year_lock_date": "2026-11-30"})
    text = "The document cannot be edited as it is currently dated before the end of year lock date"
    assert messages(party.xero("POST", f"BankTransactions/{row}", {"Status": "DELETED"})) == [text]


def test_one_bad_row_refuses_a_summarised_batch_whole(party: Party, bank_account: str) -> None:
    answer = create(party, spend(bank_account, 1), spend(bank_account, 2, Url="https://xero.com"))
    assert answer.json()["Type"] == "ValidationException"
    assert len(answer.json()["Elements"]) == 1
    assert party.ledger()["bank_transactions"] == []


def test_unsummarised_each_row_has_its_own_outcome(party: Party, bank_account: str) -> None:
    rows = [spend(bank_account, 1), spend(bank_account, 2, Url="https://xero.com"), spend(bank_account, 3)]
    answer = create(party, *rows, query="?summarizeErrors=false")
    outcomes = answer.json()["BankTransactions"]
    assert answer.status_code == 200
    assert [outcome["StatusAttributeString"] for outcome in outcomes] == ["OK", "ERROR", "OK"]
    assert outcomes[1]["BankTransactionID"] == "00000000-0000-0000-0000-000000000000"
    assert outcomes[1]["ValidationErrors"][0]["Message"] == "The Url field must not contain the word xero"
    assert [row["reference"] for row in party.ledger()["bank_transactions"]] == ["ref-1", "ref-3"]


def test_a_batchs_answer_may_come_in_another_order(party: Party, bank_account: str) -> None:
    party.world.settings(batch_order="reversed")
    rows = create(party, spend(bank_account, 1), spend(bank_account, 2)).json()["BankTransactions"]
    assert [row["Reference"] for row in rows] == ["ref-2", "ref-1"]


def test_a_deleted_row_stays_readable_and_cannot_be_deleted_again(party: Party, bank_account: str) -> None:
    row = created_id(party, bank_account)
    deletion = {"BankTransactionID": row, "Status": "DELETED"}
    assert party.xero("POST", f"BankTransactions/{row}", deletion).status_code == 200
    assert party.xero("GET", f"BankTransactions/{row}").json()["BankTransactions"][0]["Status"] == "DELETED"
    assert party.xero("POST", f"BankTransactions/{row}", deletion).status_code == 400


def test_a_reconciled_row_can_be_neither_edited_nor_deleted(party: Party, bank_account: str) -> None:
    row = created_id(party, bank_account)
    party.world.control("POST", f"/xero/{party.tenant}/bank-transactions/{row}/reconcile")
    for change in ({"Status": "DELETED"}, {"Reference": "other"}):
        assert messages(party.xero("POST", f"BankTransactions/{row}", change)) == [RECONCILED]


def test_a_row_with_an_id_is_updated_by_post(party: Party, bank_account: str) -> None:
    row = created_id(party, bank_account)
    party.world.advance(5)
    body = {"BankTransactions": [{"BankTransactionID": row, "Reference": "changed"}, spend(bank_account, 2)]}
    answer = party.xero("POST", "BankTransactions", body).json()["BankTransactions"]
    assert (answer[0]["BankTransactionID"], answer[0]["Reference"], answer[0]["Total"]) == (row, "changed", 12.5)
    assert len(party.ledger()["bank_transactions"]) == 2
    found = party.xero("GET", "BankTransactions", params={"References": "changed,ref-1"}).json()["BankTransactions"]
    assert [one["BankTransactionID"] for one in found] == [row]


def test_a_missing_date_is_today_in_the_organisations_time_zone(party: Party, bank_account: str) -> None:
    party.world.control("POST", "/clock", {"now": "2026-11-20T12:29:00Z"})
    row = spend(bank_account)
    del row["Date"]
    assert create(party, row).json()["BankTransactions"][0]["DateString"] == "2026-11-20T00:00:00"


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"Type": 5}', b'{"Date": "tomorrow", "Type": "SPEND"}', b"\xff"])
def test_what_cannot_be_read_is_refused_as_such(party: Party, body: bytes) -> None:
    answer = party.xero("PUT", "BankTransactions", data=body)
    assert (answer.status_code, answer.json()["ErrorNumber"]) == (400, 17)


def test_a_person_can_enter_edit_and_delete_rows(party: Party, bank_account: str) -> None:
    control = f"/xero/{party.tenant}/bank-transactions"
    row = party.world.control("POST", control, {"account_id": bank_account, "amount_cents": 999, "reference": "r"})
    party.world.control("POST", f"{control}/{row['id']}/edit", {"reference": "s", "contact": "Other", "url": None})
    party.world.control("POST", f"{control}/{row['id']}/delete")
    truth = party.ledger()["bank_transactions"][0]
    assert (truth["reference"], truth["contact"], truth["status"], truth["made_by"]) == (
        "s",
        "Other",
        "DELETED",
        "person",
    )
