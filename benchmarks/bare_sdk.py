"""The bare loop's batches, put by Xero's official SDK."""

from __future__ import annotations

import datetime as dt
from typing import Any

from xero_python.accounting import (
    Account,
    AccountingApi,
    BankTransaction,
    BankTransactions,
    Contact,
    LineAmountTypes,
    LineItem,
)
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token

from benchmarks.bare_job import Job

TOKEN_SECONDS = 1800


class SdkSender:
    """Puts a batch as the SDK's own examples do, one client for all organisations."""

    def __init__(self) -> None:
        self._tokens: dict[str, Any] = {}
        self._client = ApiClient(
            Configuration(oauth2_token=OAuth2Token(client_id="bare", client_secret="loop")),
            oauth2_token_getter=lambda: self._tokens,
            oauth2_token_saver=self._tokens.update,
        )

    def send(self, job: Job, rows: list[dict[str, Any]]) -> None:
        if self._tokens.get("access_token") != job.xero_token:
            self._tokens = {
                "access_token": job.xero_token,
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
                "scope": ["accounting.transactions"],
            }
            self._client.set_oauth2_token(self._tokens)
        api = AccountingApi(self._client, base_url=f"{job.url}/xero/api.xro/2.0")
        sent = BankTransactions(bank_transactions=[_element(job, row) for row in rows])
        answer = api.create_bank_transactions(job.tenant_id, sent, summarize_errors=False)
        if any(row.status_attribute_string != "OK" for row in answer.bank_transactions):
            raise RuntimeError(f"Xero refused rows: {answer}")


def _element(job: Job, row: dict[str, Any]) -> BankTransaction:
    line = LineItem(description=row["label"], quantity=1, unit_amount=row["amount"], account_code=job.code)
    return BankTransaction(
        type="RECEIVE" if row["side"] == "credit" else "SPEND",
        contact=Contact(name=row["clean_counterparty_name"] or row["label"]),
        line_items=[line],
        bank_account=Account(account_id=job.xero_account_id),
        date=dt.date.fromisoformat(row["settled_at"][:10]),
        url=f"https://app.qonto.com/transactions/{row['id']}",
        line_amount_types=LineAmountTypes.NOTAX,
        status="AUTHORISED",
        reference=row["reference"],
    )
