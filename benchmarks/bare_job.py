"""What a bare loop is told about an organisation, and the element it makes of a row: the fields that we send."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

BATCH_ROWS = 50
PAGE_ROWS = 100
TIMEOUT_SECONDS = 60


class Job(msgspec.Struct):
    """One organisation: where it is, how to get in, and the accounts that its rows go to."""

    url: str
    qonto_key: str
    account_id: str
    xero_token: str
    tenant_id: str
    xero_account_id: str
    code: str


class Sender(Protocol):
    """Puts one batch to Xero. Raises when a row was not created."""

    def send(self, job: Job, rows: list[dict[str, Any]]) -> None: ...


def element(job: Job, row: dict[str, Any]) -> dict[str, Any]:
    """A row in Xero's words."""
    return {
        "Type": "RECEIVE" if row["side"] == "credit" else "SPEND",
        "Contact": {"Name": row["clean_counterparty_name"] or row["label"]},
        "LineItems": [
            {"Description": row["label"], "Quantity": 1, "UnitAmount": row["amount"], "AccountCode": job.code}
        ],
        "BankAccount": {"AccountID": job.xero_account_id},
        "Date": row["settled_at"][:10],
        "Url": f"https://app.qonto.com/transactions/{row['id']}",
        "LineAmountTypes": "NoTax",
        "Status": "AUTHORISED",
        "Reference": row["reference"],
    }
