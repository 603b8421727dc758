"""Xero's chart of accounts: read whole (it has no pages), created one at a time."""

from __future__ import annotations

import msgspec

from clients.decoding import Id, Rows, Text, UnreadableRow, Word, decode_rows, encode
from clients.errors import Permanent, Unreadable
from clients.xero.client import Xero

NOT_FOUND = 404
NAME_TAKEN = "unique name"  # in Xero's words: Please enter a unique Name.
CODE_TAKEN = "unique code"
NUMBER_REFUSED = "valid bank account number"
CURRENCY_MISSING = "not subscribed to currency"


class XeroAccount(msgspec.Struct, rename="pascal"):
    """An account. Bank accounts made by hand may have no Code."""

    account_id: Id = msgspec.field(name="AccountID")
    name: Text = ""
    type: Text = ""
    status: Word = "ACTIVE"
    code: Word = ""
    currency_code: Text = ""


class UnreadableXeroAccount(UnreadableRow):
    """An account of the chart that cannot be read; `None` stands for what cannot be read of it either."""

    @property
    def account_id(self) -> str | None:
        """Return its id."""
        found: str | None = self.field("AccountID", Id)
        return found

    @property
    def code(self) -> str | None:
        """Return its Code, which is empty when it has none."""
        found: str | None = self.field("Code", Word, absent="")
        return found


def list_accounts(xero: Xero) -> Rows[XeroAccount, UnreadableXeroAccount]:
    """Return every account, archived ones too, in one call."""
    return _accounts(xero.call("GET", "/Accounts").body, "Xero GET /Accounts")


def read_account(xero: Xero, account_id: str) -> XeroAccount | None:
    """Return one account, or None if Xero has no account with this id. Xero may show a deleted account either way.

    Raises Temporary if the answer is about another account.
    """
    path = f"/Accounts/{account_id}"
    try:
        found = _accounts(xero.call("GET", path).body, f"Xero GET {path}")
    except Permanent as error:
        if error.status == NOT_FOUND:
            return None
        raise
    for account in found:
        if account.account_id == account_id:
            return account
    raise found.missing(f"Xero GET {path}", "the answer does not show this account")


def create_bank_account(xero: Xero, *, code: str, name: str, number: str, currency: str, key: str) -> XeroAccount:
    """A new bank account. Raises Permanent with Xero's words when it is refused."""
    return _create(
        xero,
        {
            "Code": code,
            "Name": name,
            "Type": "BANK",
            "BankAccountNumber": number,
            "BankAccountType": "BANK",
            "CurrencyCode": currency,
        },
        key,
    )


def create_coding_account(xero: Xero, *, code: str, name: str, key: str) -> XeroAccount:
    """A current account of the chart (no bank account) in which lines wait to be coded."""
    return _create(xero, {"Code": code, "Name": name, "Type": "CURRENT"}, key)


def _create(xero: Xero, account: dict[str, str], key: str) -> XeroAccount:
    answer = xero.call("PUT", "/Accounts", body=encode(account), key=key)
    created = _accounts(answer.body, "Xero PUT /Accounts")
    if not created:
        raise created.missing("Xero PUT /Accounts", "the answer names no account")
    if created[0].code != account["Code"]:
        raise Unreadable("Xero PUT /Accounts", "the answer shows another account than the one asked for")
    return created[0]


def _accounts(body: bytes, call: str) -> Rows[XeroAccount, UnreadableXeroAccount]:
    return decode_rows(body, XeroAccount, UnreadableXeroAccount, call, "Accounts")
