"""Qonto's side of a check: what should be in Xero, account by account, and what no night has read yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from clients.decoding import Rows
from clients.errors import Permanent, Unreadable
from clients.qonto.bank_accounts import QontoAccount, UnreadableAccount, list_bank_accounts
from clients.qonto.client import Qonto
from clients.qonto.transactions import Transaction
from domain.calendar import booking_date
from domain.ledger_check import Duty, Expected
from domain.money import in_words, signed
from domain.reasons import sentence
from models.awaited_transaction import Awaited, awaited_of
from models.bank_account import accounts_not_listed, cursor_of
from models.organisation import Connection, Organisation, first_start, former_tenants
from services.opening_balance import opening_of
from services.read_accounts import accounts_to_read
from services.read_transactions import OVERLAP, read_from, walk
from services.store_transactions import awaited_in, why_awaited

FOR_GOOD = datetime.max.replace(tzinfo=UTC)  # how far an account has been read that no night reads any more


@dataclass
class QontoTruth:
    """`passed`: what the cursor has passed without its being stored. `unproved`: what keeps an account's money from
    adding up. `hidden` are accounts whose balance Qonto does not show, `unread` those whose transactions it does not.
    """

    expected: list[Expected] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)


@dataclass
class _Listed:
    """All that Qonto lists of one account since a moment: what settled, and what cannot be stored, by id."""

    rows: dict[str, Transaction] = field(default_factory=dict)
    awaited: dict[str, Awaited] = field(default_factory=dict)


def read_truth(
    connection: Connection, qonto: Qonto, accounts: Rows[QontoAccount, UnreadableAccount], stored: set[str]
) -> QontoTruth:
    """Read everything that settled since this organisation first went to this Xero organisation."""
    zone = Organisation.get_by_id(connection.organisation_id).time_zone
    began = first_start(connection.organisation_id, connection.tenant_id) or connection.starts_at
    was_elsewhere = len(former_tenants(connection.organisation_id)) > 1
    truth = QontoTruth(unproved=list(_not_shown(connection, accounts)))
    still_read = {account.id for account in accounts_to_read(connection, accounts)}
    for account in accounts:
        if account.is_external_account:
            continue
        try:
            listed = _list(qonto, account.id, began)
            truth.unproved += _unproved(connection, qonto, account, listed, began)
        except (Permanent, Unreadable) as error:
            truth.unproved.append(f"the transactions of account {account.id} cannot be read: {error}")
            truth.unread.add(account.id)
            continue
        if account.balance_cents is None:
            truth.hidden.append(account.id)
        read_until = _read_until(connection, account.id) if account.id in still_read else FOR_GOOD
        awaited = {row.transaction_id for row in awaited_of(connection.tenant_id, account.id)}
        for row in listed.rows.values():
            if row.settled_at and row.amount_cents and not row.is_external_transaction:
                duty = _duty(connection, row, stored, awaited, read_until, was_elsewhere=was_elsewhere)
                if duty == Duty.MUST and row.id not in stored:
                    truth.passed.append(f"{row.id} is not stored, and account {account.id} was read past it")
                truth.expected.append(_expected(connection, account.id, row, booking_date(row.settled_at, zone), duty))
    return truth


def _not_shown(connection: Connection, accounts: Rows[QontoAccount, UnreadableAccount]) -> Iterator[str]:
    for unreadable in accounts.unreadable:
        yield f"account {unreadable.id or 'unknown'} cannot be read"
    listed = {one.id for one in accounts} | {one.id for one in accounts.unreadable}
    for missing in accounts_not_listed(connection.organisation_id, listed):
        yield f"account {missing.id} is not listed by Qonto any more"


def _list(qonto: Qonto, bank_account_id: str, began: datetime) -> _Listed:
    listed = _Listed()
    for page in walk(qonto, bank_account_id, began - OVERLAP):
        listed.rows |= {
            row.id: row
            for row in page.rows
            if row.settled_at and row.settled_at >= began and why_awaited(row, began) is None
        }
        listed.awaited |= {row.transaction_id: row for row in awaited_in(page, began)}
    listed.awaited = {key: row for key, row in listed.awaited.items() if key not in listed.rows}
    return listed


def _unproved(
    connection: Connection, qonto: Qonto, account: QontoAccount, listed: _Listed, began: datetime
) -> Iterator[str]:
    """What of an account cannot be stored, and whether the rest leads from its opening balance to what it holds now.

    One that does not is looked at twice: something may have settled between two answers.
    """
    for row in listed.awaited.values():
        yield f"{row.transaction_id}: {sentence(row.reason)}"
    if account.balance_cents is None or listed.awaited:
        return
    opening = opening_of(qonto, connection.tenant_id, account.id, began)
    if opening is None:
        yield f"account {account.id}: what it held at the start is not known"
    elif account.balance_cents != opening.cents + _moved(listed):
        now = next((one.balance_cents for one in list_bank_accounts(qonto) if one.id == account.id), None)
        right = opening.cents + _moved(_list(qonto, account.id, began))
        if now is not None and now != right:
            told = in_words(now, account.currency), in_words(right, account.currency)
            yield f"account {account.id} holds {told[0]} in Qonto, and {told[1]} by what it held and what is listed"


def _moved(listed: _Listed) -> int:
    return sum(signed(row.side, row.amount_cents) for row in listed.rows.values())


def _read_until(connection: Connection, bank_account_id: str) -> datetime | None:
    """Before which nothing is read again; `None` for an account that no run has come to."""
    cursor = cursor_of(connection.id, bank_account_id)
    return read_from(connection, cursor) if cursor else None


def _duty(
    connection: Connection,
    row: Transaction,
    stored: set[str],
    awaited: set[str],
    read_until: datetime | None,
    *,
    was_elsewhere: bool,
) -> Duty:
    """Return whether a row must be in Xero; also one that settled between two connections of which one goes on."""
    if row.settled_at is None or (row.settled_at < connection.starts_at and was_elsewhere):
        return Duty.MAY
    is_new = read_until is None or row.updated_at >= read_until or row.id in awaited
    if row.id not in stored and is_new:
        return Duty.TO_COME
    return Duty.MUST


def _expected(connection: Connection, account_id: str, row: Transaction, day: date, duty: Duty) -> Expected:
    return Expected(
        tenant_id=connection.tenant_id,
        transaction_id=row.id,
        account=account_id,
        side=row.side,
        cents=row.amount_cents,
        currency=row.currency,
        date=day,
        duty=duty,
    )
