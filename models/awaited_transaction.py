"""Transactions that Qonto lists and that cannot be stored yet: each is read again until it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import BigIntegerField, CompositeKey, TextField

from models.database import Table, UtcField
from models.statements import find, run_with_rows

ANOTHER_NIGHT = timedelta(hours=20)  # between two looks of which each may conclude something by itself


class AwaitedTransaction(Table):
    """One transaction of an account for one Xero organisation, until it is stored as a posting: then `ended_at`.

    `reason` is one of `domain.reasons.Awaited`. `transaction_id` is Qonto's, or a digest of the row where
    that cannot be read. `updated_at` is where Qonto's list had it. `signed_cents` is empty where the amount cannot be
    read. `missing_since`: from then on Qonto listed it no more.
    """

    bank_account_id = TextField()
    transaction_id = TextField()
    tenant_id = TextField()
    reason = TextField()
    updated_at = UtcField()
    signed_cents = BigIntegerField(null=True)
    first_seen_at = UtcField()
    missing_since = UtcField(null=True)
    ended_at = UtcField(null=True)

    class Meta:
        primary_key = CompositeKey("bank_account_id", "transaction_id", "tenant_id")


@dataclass(frozen=True)
class Awaited:
    """What is remembered of one: columns as in `AwaitedTransaction`."""

    transaction_id: str
    reason: str
    updated_at: datetime
    signed_cents: int | None


OF_ACCOUNT = "tenant_id = {tenant_id} AND bank_account_id = {bank_account_id} AND ended_at IS NULL ORDER BY updated_at"


def awaited_of(tenant_id: str, bank_account_id: str) -> list[AwaitedTransaction]:
    """Return what an account waits for, in the order of Qonto's list."""
    return find(AwaitedTransaction, OF_ACCOUNT, tenant_id=tenant_id, bank_account_id=bank_account_id)


AWAITED = {"transaction_id": "text", "reason": "text", "updated_at": "timestamptz", "signed_cents": "bigint"}
AWAIT = """
    INSERT INTO awaited_transaction
        (bank_account_id, transaction_id, tenant_id, reason, updated_at, signed_cents, first_seen_at)
    SELECT {bank_account_id}, transaction_id, {tenant_id}, reason, updated_at, signed_cents, {now}
    FROM {rows} AS new WHERE TRUE
    ON CONFLICT (bank_account_id, transaction_id, tenant_id) DO UPDATE SET reason = excluded.reason,
        updated_at = excluded.updated_at, signed_cents = excluded.signed_cents, missing_since = NULL, ended_at = NULL
"""


def await_transactions(tenant_id: str, bank_account_id: str, rows: Sequence[Awaited], now: datetime) -> None:
    """Remember that these were listed and not stored. Of several rows of one transaction the last counts."""
    newest = {row.transaction_id: row for row in rows}.values()  # PostgreSQL refuses to update a row twice at once
    cells = [(row.transaction_id, row.reason, row.updated_at, row.signed_cents) for row in newest]
    if cells:
        run_with_rows(AWAIT, AWAITED, cells, tenant_id=tenant_id, bank_account_id=bank_account_id, now=now)


IDS = {"transaction_id": "text"}
END = """
    UPDATE awaited_transaction SET ended_at = {now} FROM {rows} AS new
    WHERE awaited_transaction.transaction_id = new.transaction_id AND tenant_id = {tenant_id}
    AND bank_account_id = {bank_account_id} AND ended_at IS NULL
"""


def end_awaited(tenant_id: str, bank_account_id: str, ids: Iterable[str], now: datetime) -> None:
    """Wait no more for these: they are stored, or are listed no more."""
    cells = [(key,) for key in ids]
    if cells:
        run_with_rows(END, IDS, cells, tenant_id=tenant_id, bank_account_id=bank_account_id, now=now)


MISSING = """
    UPDATE awaited_transaction SET missing_since = {now} FROM {rows} AS new
    WHERE awaited_transaction.transaction_id = new.transaction_id AND tenant_id = {tenant_id}
    AND bank_account_id = {bank_account_id} AND ended_at IS NULL AND missing_since IS NULL
"""


def note_missing(tenant_id: str, bank_account_id: str, missing: Sequence[AwaitedTransaction], now: datetime) -> None:
    """Note that Qonto's list lacks these now. One that it lacked on another night already is awaited no more."""
    cells = [(row.transaction_id,) for row in missing if row.missing_since is None]
    if cells:
        run_with_rows(MISSING, IDS, cells, tenant_id=tenant_id, bank_account_id=bank_account_id, now=now)
    gone = [row.transaction_id for row in missing if row.missing_since and now - row.missing_since >= ANOTHER_NIGHT]
    end_awaited(tenant_id, bank_account_id, gone, now)
