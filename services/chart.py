"""Xero's chart of accounts as read once in a turn, kept true to what we learn and add."""

from __future__ import annotations

from dataclasses import dataclass

from clients.xero.accounts import XeroAccount
from domain.account_choice import ACTIVE, InXero


@dataclass
class Chart:
    """Every account of one Xero organisation, archived ones too."""

    accounts: list[XeroAccount]

    def by_code(self) -> dict[str, InXero]:
        return {account.code: _in_xero(account) for account in self.accounts if account.code}

    def by_id(self) -> dict[str, InXero]:
        return {account.account_id: _in_xero(account) for account in self.accounts if account.account_id}

    def names(self) -> set[str]:
        return {account.name for account in self.accounts}

    def active_codes(self) -> set[str]:
        return {account.code for account in self.accounts if account.code and account.status == ACTIVE}

    def note_taken(self, name: str) -> None:
        """Xero says that this name is taken, by an account that it does not list."""
        self.accounts.append(XeroAccount(account_id="", name=name, type="", status="UNLISTED"))


def _in_xero(account: XeroAccount) -> InXero:
    return InXero(account.account_id, account.code, account.status)
