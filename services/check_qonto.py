"""Qonto's side of a check: what should be in Xero, account by account, and what no night has read yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from clients.qonto.bank_accounts import QontoAccount
from clients.qonto.client import Qonto
from clients.qonto.transactions import Transaction
from domain.calendar import booking_date
from domain.ledger_check import Duty, Expected
from models.bank_account import cursor_of
from models.organisation import Connection, Organisation
from services.read_accounts import accounts_to_read
from services.read_transactions import OVERLAP, is_ours, read_from, walk

FOR_GOOD = datetime.max.replace(tzinfo=UTC)  # how far an account has been read that no night reads any more


@dataclass
class QontoTruth:
    """`passed`: what the cursor has passed without its being stored. `unreadable`: rows that nobody can read."""

    expected: list[Expected] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    unreadable: int = 0


def read_truth(connection: Connection, qonto: Qonto, accounts: Sequence[QontoAccount], stored: set[str]) -> QontoTruth:
    """Everything that settled since this organisation first went to this Xero organisation."""
    zone = Organisation.get_by_id(connection.organisation_id).time_zone
    ours = (Connection.organisation_id == connection.organisation_id) & (Connection.tenant_id == connection.tenant_id)
    began = min(one.starts_at for one in Connection.select().where(ours))
    truth = QontoTruth()
    still_read = {account.id for account in accounts_to_read(connection, accounts)}
    for account in accounts:
        rows: dict[str, Transaction] = {}
        for page in walk(qonto, account.id, began - OVERLAP):
            rows |= {row.id: row for row in page.rows}
            truth.unreadable += len(page.unreadable)
        read_until = _read_until(connection, account.id) if account.id in still_read else FOR_GOOD
        for row in rows.values():
            is_external = account.is_external_account or row.is_external_transaction
            settled_at = row.settled_at
            if settled_at and settled_at >= began and row.amount_cents and not is_external:
                duty = _duty(connection, row, stored, read_until)
                if duty == Duty.MUST and row.id not in stored:
                    truth.passed.append(f"{row.id} is not stored, and account {account.id} was read past it")
                truth.expected.append(_expected(connection, account.id, row, booking_date(settled_at, zone), duty))
    return truth


def _read_until(connection: Connection, bank_account_id: str) -> datetime | None:
    """Before which nothing is read again; `None` for an account that no run has come to."""
    cursor = cursor_of(connection.id, bank_account_id)
    return read_from(connection, cursor) if cursor else None


def _duty(connection: Connection, row: Transaction, stored: set[str], read_until: datetime | None) -> Duty:
    if not is_ours(connection, row):
        return Duty.MAY
    if row.id not in stored and (read_until is None or row.updated_at >= read_until):
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
