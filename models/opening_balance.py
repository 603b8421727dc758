"""What each account held in Qonto when its transactions began to be sent: what every later proof starts from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from peewee import BigIntegerField, CompositeKey, TextField

from models.database import Table, UtcField
from models.statements import find


class Source(StrEnum):
    """Where an opening balance comes from: never from a transaction that is sent."""

    CONNECTING = "connecting"  # the balance as it was when the connection was made; a reading may know better
    EARLIER_ROW = "earlier_row"  # the balance after the last transaction that settled before the start
    NO_EARLIER_ROW = "no_earlier_row"  # nothing settled before the start


class OpeningBalance(Table):
    """An account's balance in Qonto just before `starts_at`, for one Xero organisation. It outlives the connection."""

    bank_account_id = TextField()
    tenant_id = TextField()
    starts_at = UtcField()
    cents = BigIntegerField()
    source = TextField()

    class Meta:
        primary_key = CompositeKey("bank_account_id", "tenant_id")


def stored_opening(tenant_id: str, bank_account_id: str) -> OpeningBalance | None:
    """Return what is stored of an account, if anything is."""
    ours = "tenant_id = {tenant_id} AND bank_account_id = {bank_account_id}"
    found = find(OpeningBalance, ours, tenant_id=tenant_id, bank_account_id=bank_account_id)
    return found[0] if found else None


def store_opening(tenant_id: str, bank_account_id: str, starts_at: datetime, cents: int, source: Source) -> None:
    """Store an account's opening balance, in place of the one that is stored."""
    known = {"starts_at": starts_at, "cents": cents, "source": source}
    OpeningBalance.insert(tenant_id=tenant_id, bank_account_id=bank_account_id, **known).on_conflict(
        conflict_target=[OpeningBalance.bank_account_id, OpeningBalance.tenant_id], update=known
    ).execute()


def store_balances_at_connecting(tenant_id: str, starts_at: datetime, balances: Mapping[str, int]) -> None:
    """Store what Qonto's accounts hold as they are connected, unless an earlier connection stored it."""
    for bank_account_id, cents in balances.items():
        OpeningBalance.insert(
            tenant_id=tenant_id,
            bank_account_id=bank_account_id,
            starts_at=starts_at,
            cents=cents,
            source=Source.CONNECTING,
        ).on_conflict(
            conflict_target=[OpeningBalance.bank_account_id, OpeningBalance.tenant_id], action="IGNORE"
        ).execute()
