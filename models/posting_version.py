"""The versions of a transaction: the one that is stored, and what Qonto changed of it later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.posting import Posting, PostingEvent
from models.statements import read

TAKEN_BACK = "taken back"  # in `changed_to`


def stored_versions(tenant_id: str, transaction_ids: Sequence[str]) -> dict[str, Posting]:
    """Return the postings of these transactions, by transaction id."""
    ours = (Posting.tenant_id == tenant_id) & Posting.transaction_id.in_(list(transaction_ids))
    return {posting.transaction_id: posting for posting in Posting.select().where(ours)}


def store_version(posting: Posting, columns: Mapping[str, Any], now: datetime, detail: str) -> None:
    """Store another version of a posting that was never sent, in the state that `columns` name, and its step."""
    Posting.update(**columns, changed_at=now).where(Posting.id == posting.id).execute()
    state, reason = columns.get("state", posting.state), columns.get("reason", posting.reason)
    _tell(posting, state, reason, detail, now)


def store_balance(posting: Posting, settled_balance_cents: int | None, updated_at: datetime) -> None:
    """Store what is never sent of a newer version."""
    known = {"settled_balance_cents": settled_balance_cents, "updated_at": updated_at}
    Posting.update(**known).where(Posting.id == posting.id).execute()


def note_change(
    posting: Posting, changed_to: str, changed_cents: int | None, now: datetime, *, reason: str, detail: str
) -> None:
    """Note what Qonto changed of a posting that was sent, as a step of its story; its own state stays.

    With a `reason` it is a problem of the night; without one it is only part of the story.
    """
    noted = {"changed_to": changed_to, "changed_cents": changed_cents, "noted_at": now if reason else posting.noted_at}
    Posting.update(**noted).where(Posting.id == posting.id).execute()
    _tell(posting, posting.state, reason, detail, now)


def _tell(posting: Posting, state: str, reason: str, detail: str, now: datetime) -> None:
    PostingEvent.insert(
        posting_id=posting.id, at=now, state=state, reason=reason, detail=detail, batch_id=posting.batch_id
    ).execute()


SUM_IN_QONTO = """
    SELECT COALESCE(SUM(CASE WHEN state = 'excluded' AND reason IN ('taken_back_before_sending', 'not_completed') THEN 0
        ELSE COALESCE(changed_cents, CASE WHEN side = 'credit' THEN amount_cents ELSE -amount_cents END) END), 0)
    FROM posting
    WHERE tenant_id = {tenant_id} AND bank_account_id = {bank_account_id} AND settled_at >= {since}
"""


def sum_in_qonto(tenant_id: str, bank_account_id: str, since: datetime) -> int:
    """Return what an account's stored transactions move in Qonto, by the newest that is known of each, in cents."""
    ((cents,),) = read(SUM_IN_QONTO, tenant_id=tenant_id, bank_account_id=bank_account_id, since=since)
    return int(cents)


def postings_since(tenant_id: str, bank_account_id: str, since: datetime) -> list[Posting]:
    """Return an account's postings that settled since a moment."""
    ours = (Posting.tenant_id == tenant_id) & (Posting.bank_account_id == bank_account_id)
    which = ours & (Posting.settled_at >= since)
    return list(Posting.select().where(which).order_by(Posting.settled_at, Posting.id))
