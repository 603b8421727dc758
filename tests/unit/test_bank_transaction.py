"""A Qonto transaction in Xero's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.bank_transaction import deep_link, to_xero


@dataclass
class Transaction:
    """A card payment in euros."""

    side: str = "debit"
    amount_cents: int = 4730
    currency: str = "EUR"
    local_amount_cents: int = 4730
    local_currency: str = "EUR"
    operation_type: str = "card"
    label: str = "NUBE HOSTING INC 8885550100"
    counterparty: str = "Nube Hosting"
    reference: str = ""
    card_last_digits: str = "4242"
    url: str = "https://app.qonto.com/transactions/0193bb20-0000-7000-8000-00000000000a"
    date: date = date(2026, 11, 21)


PAYMENT = Transaction()


Element = Callable[..., dict[str, Any]]


@pytest.fixture
def element() -> Element:
    """The payment, with changes, as Xero gets to see it."""

    def in_xero(**changes: Any) -> dict[str, Any]:
        return to_xero(
            replace(PAYMENT, **changes),
            account_id="account-1",
            account_code="Q1",
        )

    return in_xero


def test_a_payment_is_said_to_xero_whole_and_with_nothing_that_xero_should_reckon_itself(element: Element) -> None:
    assert element() == {
        "Type": "SPEND",
        "Contact": {"Name": "Nube Hosting"},
        "LineItems": [
            {
                "Description": "NUBE HOSTING INC 8885550100 · card 4242",
                "Quantity": 1,
                "UnitAmount": Decimal("47.30"),
                "AccountCode": "Q1",
            }
        ],
        "BankAccount": {"AccountID": "account-1"},
        "Date": "2026-11-21",
        "Url": "https://app.qonto.com/transactions/0193bb20-0000-7000-8000-00000000000a",
        "LineAmountTypes": "NoTax",
        "Status": "AUTHORISED",
    }


@pytest.mark.parametrize(("side", "said"), [("credit", "RECEIVE"), ("debit", "SPEND")])
def test_direction_is_the_type_and_the_amount_stays_positive(element: Element, side: str, said: str) -> None:
    sent = element(side=side)

    assert sent["Type"] == said
    assert sent["LineItems"][0]["UnitAmount"] == Decimal("47.30")


def test_the_accounts_own_amount_is_sent_and_what_the_shop_charged_is_only_told(element: Element) -> None:
    (line,) = element(local_amount_cents=5000, local_currency="USD")["LineItems"]

    assert line["UnitAmount"] == Decimal("47.30")
    assert line["Description"] == "NUBE HOSTING INC 8885550100 · card 4242 · 50.00 USD"


def test_a_reference_is_sent_as_one_line_and_not_at_all_when_nothing_is_left_of_it(element: Element) -> None:
    assert element(reference=" invoice\n  7 ")["Reference"] == "invoice 7"
    assert len(element(reference="7" * 300)["Reference"]) == 255
    assert "Reference" not in element(reference="\n")


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"card_last_digits": ""}, "NUBE HOSTING INC 8885550100"),
        ({"label": "", "card_last_digits": ""}, "Nube Hosting"),
        ({"label": "", "counterparty": "", "card_last_digits": ""}, "card"),
        ({"label": "\n", "counterparty": "", "operation_type": "qonto_fee", "card_last_digits": ""}, "qonto_fee"),
    ],
)
def test_a_line_always_says_something(element: Element, changes: dict[str, str], description: str) -> None:
    assert element(**changes)["LineItems"][0]["Description"] == description


def test_a_very_long_label_is_cut(element: Element) -> None:
    assert len(element(label="x" * 5000)["LineItems"][0]["Description"]) == 1000


def test_the_contact_is_the_label_when_qonto_knows_no_cleaner_name(element: Element) -> None:
    assert element(counterparty="")["Contact"] == {"Name": "NUBE HOSTING INC 8885550100"}


def test_an_odd_id_cannot_break_out_of_the_link_and_two_ids_never_share_one() -> None:
    assert deep_link("https://app.qonto.com", "a/b?c#d e") == "https://app.qonto.com/transactions/a%2Fb%3Fc%23d%20e"
    assert deep_link("https://app.qonto.com", "a%2Fb") != deep_link("https://app.qonto.com", "a/b")


OPERATIONS = (
    "income transfer card card_acquirer_payout direct_debit direct_debit_collection direct_debit_hold qonto_fee cheque",
    "recall swift_income pay_later financing_installment account_remuneration f24 pagopa_payment nrc_payment",
    "riba_payment investment other one_that_qonto_adds_later",
)


@pytest.mark.parametrize("operation_type", " ".join(OPERATIONS).split())
@pytest.mark.parametrize(("side", "type_"), [("credit", "RECEIVE"), ("debit", "SPEND")])
def test_the_direction_of_any_operation_is_that_of_its_side(
    element: Element, operation_type: str, side: str, type_: str
) -> None:
    assert element(operation_type=operation_type, side=side)["Type"] == type_
