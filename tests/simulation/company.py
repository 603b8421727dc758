"""One organisation with its Qonto and its Xero, as small as a seed needs it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any, cast

from domain.bank_transaction import deep_link
from domain.marks import account_mark, coding_mark
from models.bank_account import AccountLink, BankAccount
from models.credential import Credential
from models.database import Table
from models.organisation import Connection, Organisation
from models.posting import Posting
from models.states import LinkState, PostingState
from tests.simulation.books import Settled
from tests.simulation.clocks import BEGIN

APP_URL = "https://app.qonto.com"
CONNECTED = BEGIN - timedelta(days=2)
ROWS = (1, 1, 2, 2, 3, 3, 4, 6, 9)
LOCKED, UNKNOWN = "The document date is before the lock date", "Something is not right"


class Company:
    """Organisation `o1`, say, connected to Xero organisation `x1`, with one or two accounts."""

    def __init__(self, number: int, random: Random) -> None:
        self.id, self.tenant_id, self.connection_id = f"o{number}", f"x{number}", f"c{number}"
        self.accounts = [f"a{number}{letter}" for letter in "xy"[: random.choice((1, 1, 2))]]
        self.settled = [self._settled(n, random) for n in range(random.choice(ROWS))]

    def _settled(self, number: int, random: Random) -> Settled:
        name = f"{self.id}-t{number}"
        account, side = random.choice(self.accounts), random.choice(("debit", "credit"))
        cents = random.choice((1, 100, 4730, 999_999))
        return Settled(self.tenant_id, name, f"xero-{account}", side, cents, BEGIN.date(), deep_link(APP_URL, name))

    def accounts_in_xero(self) -> list[dict[str, str]]:
        banks = [{"AccountID": f"xero-{a}", "Code": account_mark(a, 1), "Type": "BANK"} for a in self.accounts]
        coding = {"AccountID": f"xero-{self.id}", "Code": coding_mark(self.id, 1), "Type": "CURRENT"}
        return [{"Name": one["AccountID"], "Status": "ACTIVE"} | one for one in [*banks, coding]]

    def store(self, raw: sqlite3.Connection, *, with_postings: bool) -> None:
        """What our database knows at the start; without its postings the night begins with reading Qonto."""
        _insert(raw, Organisation, id=self.id, slug=self.id, name=self.id, created_at=CONNECTED)
        _insert(raw, Credential, id=self.id, kind="qonto_api_key", secret="", created_at=CONNECTED)
        _insert(
            raw,
            Connection,
            id=self.connection_id,
            organisation_id=self.id,
            name=self.id,
            tenant_id=self.tenant_id,
            tenant_name=self.tenant_id,
            qonto_credential_id=self.id,
            xero_credential_id=self.id,
            starts_at=CONNECTED,
            default_code=coding_mark(self.id, 1),
            created_at=CONNECTED,
        )
        for account in self.accounts:
            self._store_account(raw, account)
        for one in self.settled if with_postings else []:
            _insert(raw, Posting, **self._posting(one))

    def _store_account(self, raw: sqlite3.Connection, account: str) -> None:
        _insert(
            raw,
            BankAccount,
            id=account,
            organisation_id=self.id,
            name=account,
            currency="EUR",
            status="active",
            updated_at=CONNECTED,
        )
        _insert(
            raw,
            AccountLink,
            tenant_id=self.tenant_id,
            bank_account_id=account,
            generation=1,
            code=account_mark(account, 1),
            name=account,
            xero_account_id=f"xero-{account}",
            state=LinkState.LIVE,
            created_at=CONNECTED,
        )

    def _posting(self, one: Settled) -> dict[str, Any]:
        return {
            "tenant_id": self.tenant_id,
            "transaction_id": one.id,
            "organisation_id": self.id,
            "connection_id": self.connection_id,
            "bank_account_id": one.account_id.removeprefix("xero-"),
            "state": PostingState.DUE,
            "side": one.side,
            "amount_cents": one.cents,
            "currency": "EUR",
            "local_amount_cents": one.cents,
            "local_currency": "EUR",
            "operation_type": "card",
            "label": "Nube Hosting",
            "counterparty": "Nube Hosting",
            "reference": "",
            "card_last_digits": "",
            "url": one.url,
            "settled_at": BEGIN - timedelta(hours=3),
            "date": one.on,
            "created_at": BEGIN,
            "changed_at": BEGIN,
        }

    def qonto(self, path: str, params: Mapping[str, str]) -> bytes:
        """Qonto's answer. It is never the problem here: always the same, at once."""
        if path == "/v2/bank_accounts":
            accounts = [{"id": account, "name": account, "status": "active"} for account in self.accounts]
            return json.dumps({"bank_accounts": accounts}).encode()
        rows = [_row(one) for one in self.settled if one.account_id == f"xero-{params['bank_account_id']}"]
        return json.dumps({"transactions": rows, "meta": {"next_page": None}}).encode()


def _insert(raw: sqlite3.Connection, table: type[Table], **columns: Any) -> None:
    """What `table.create(...)` stores, without the work of asking peewee for the same statement in every seed."""
    row = cast("Any", table)._meta.get_default_dict() | columns
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    raw.execute(f"INSERT INTO {cast('Any', table)._meta.table_name} ({names}) VALUES ({marks})", list(row.values()))


def _row(one: Settled) -> dict[str, Any]:
    moment = (BEGIN - timedelta(hours=3)).isoformat()
    return {
        "id": one.id,
        "bank_account_id": one.account_id.removeprefix("xero-"),
        "amount": one.cents / 100,
        "amount_cents": one.cents,
        "currency": "EUR",
        "side": one.side,
        "status": "completed",
        "updated_at": moment,
        "settled_at": moment,
        "label": "Nube Hosting",
    }
