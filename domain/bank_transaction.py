"""A Qonto transaction in Xero's words: the element of `PUT /BankTransactions`, and how we know it again."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

from domain.money import in_words, to_decimal
from domain.text import DESCRIPTION_LENGTH, REFERENCE_LENGTH, contact_name, single_line

BATCH_ROWS = 50  # elements a request that Xero advises


class Payable(Protocol):
    """What of a transaction Xero gets to see."""

    side: str
    amount_cents: int
    currency: str
    local_amount_cents: int
    local_currency: str
    operation_type: str
    label: str
    counterparty: str
    reference: str
    card_last_digits: str
    url: str

    @property
    def date(self) -> object:
        """Reads as year-month-day."""


def deep_link(app_url: str, transaction_id: str) -> str:
    """The link to the transaction in Qonto: Xero shows it as "Go to Qonto", and by it we know the row as ours."""
    plain = transaction_id.isascii() and transaction_id.replace("-", "").isalnum()
    return f"{app_url}/transactions/{transaction_id if plain else quote(transaction_id, safe='')}"


def to_xero(payable: Payable, *, account_id: str, account_code: str) -> dict[str, Any]:
    """The element to create. Amount positive and without tax; direction is the type; currency is the account's."""
    element: dict[str, Any] = {
        "Type": "RECEIVE" if payable.side == "credit" else "SPEND",
        "Contact": {"Name": contact_name(payable.counterparty, payable.label)},
        "LineItems": [
            {
                "Description": _description(payable),
                "Quantity": 1,
                "UnitAmount": to_decimal(payable.amount_cents),
                "AccountCode": account_code,
            }
        ],
        "BankAccount": {"AccountID": account_id},
        "Date": str(payable.date),
        "Url": payable.url,
        "LineAmountTypes": "NoTax",
        "Status": "AUTHORISED",
    }
    reference = single_line(payable.reference, REFERENCE_LENGTH)
    return element | {"Reference": reference} if reference else element


def _description(payable: Payable) -> str:
    parts = [
        single_line(payable.label, DESCRIPTION_LENGTH) or single_line(payable.counterparty, DESCRIPTION_LENGTH),
        f"card {payable.card_last_digits}" if payable.card_last_digits else "",
        in_words(payable.local_amount_cents, payable.local_currency)
        if payable.local_currency != payable.currency
        else "",
    ]
    told = [part for part in parts if part]
    described = told[0] if len(told) == 1 else single_line(" · ".join(told), DESCRIPTION_LENGTH)
    return described or payable.operation_type
