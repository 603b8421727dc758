"""An organisation's accounts as a person wants to see them: Qonto's, Xero's, and why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.account_choice import why_left_out
from domain.reasons import LeftOut, sentence
from models.bank_account import AccountLink, BankAccount, Cursor
from models.organisation import Connection
from models.states import LinkState

SOON = "It is created with the next run."


@dataclass(frozen=True)
class AccountView:
    """A bank account and one generation of its Xero account. `in_xero` is the link's state, or `no`.

    `balances_break_at` is the transaction at which Qonto's balances do not chain, empty when they do. `unread_since`:
    since when its transactions cannot be read, `unread_why` in a sentence; empty while they can.
    """

    bank_account_id: str
    name: str
    iban_last4: str
    in_qonto: str
    generation: int | None
    in_xero: str
    xero_name: str
    xero_account_id: str
    code: str
    why: str
    balances_break_at: str
    unread_since: datetime | None
    unread_why: str


def view_accounts(connection: Connection) -> list[AccountView]:
    """Every bank account that was ever read, each with the generations of its Xero account, newest last."""
    accounts = BankAccount.select().where(BankAccount.organisation_id == connection.organisation_id)
    links = AccountLink.select().where(AccountLink.tenant_id == connection.tenant_id).order_by(AccountLink.generation)
    by_account: dict[str, list[AccountLink]] = {}
    for link in links:
        by_account.setdefault(link.bank_account_id, []).append(link)
    cursors = Cursor.select().where(Cursor.connection_id == connection.id)
    by_id = {cursor.bank_account_id: cursor for cursor in cursors}
    views = []
    for account in accounts.order_by(BankAccount.id):
        generations: list[AccountLink | None] = [*by_account.get(account.id, [])]
        views += [_view(account, link, by_id.get(account.id)) for link in generations or [None]]
    return views


def _view(account: BankAccount, link: AccountLink | None, cursor: Cursor | None) -> AccountView:
    unread_why = sentence(cursor.unread_reason) if cursor else ""
    return AccountView(
        bank_account_id=account.id,
        name=account.name,
        iban_last4=account.iban_last4,
        in_qonto=account.status,
        generation=link.generation if link else None,
        in_xero=link.state if link else "no",
        xero_name=link.name if link else "",
        xero_account_id=link.xero_account_id if link else "",
        code=link.code if link else "",
        why=_why(account, link) or unread_why,
        balances_break_at=cursor.chain_broken_at if cursor else "",
        unread_since=cursor.unread_since if cursor else None,
        unread_why=unread_why,
    )


def _why(account: BankAccount, link: AccountLink | None) -> str:
    """Return in a sentence why it is as it is in Xero; empty when there is nothing to say."""
    left_out = why_left_out(account.status, is_external=account.is_external)
    if link is None:
        return sentence(left_out) if left_out else SOON
    if link.state == LinkState.GONE and left_out == LeftOut.CLOSED:
        return sentence(LeftOut.GONE)
    return sentence(link.reason)
