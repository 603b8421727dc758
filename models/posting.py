"""Postings: our record of each Qonto transaction for one Xero organisation. They outlive the connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    DateField,
    Expression,
    IntegerField,
    TextField,
    Value,
    chunked,
    fn,
)

from models.database import Table, UtcField, database
from models.states import PostingState

ROWS_A_STATEMENT = 500  # under SQLite's 32,766 parameters with room to spare


class Posting(Table):
    """One row per (Xero organisation, Qonto transaction), for ever. Money in integer cents of `currency`.

    `date` is the day it settled on the organisation's own calendar; `url` its link to Qonto, by which we know it again
    in Xero, so it never changes. `attempts` counts the batches it was in, `refusals` how often Xero refused it by
    itself; `alone` asks for a batch of its own, after Xero refused a whole batch unread.
    """

    id = BigAutoField()
    tenant_id = TextField()
    transaction_id = TextField()
    organisation_id = TextField(constraints=[SQL("REFERENCES organisation (id)")])
    connection_id = TextField(constraints=[SQL("REFERENCES connection (id)")])
    bank_account_id = TextField(constraints=[SQL("REFERENCES bank_account (id)")])
    state = TextField()
    reason = TextField(default="")
    reason_detail = TextField(default="")
    side = TextField()
    amount_cents = BigIntegerField()
    currency = TextField()
    local_amount_cents = BigIntegerField()
    local_currency = TextField()
    operation_type = TextField()
    label = TextField()
    counterparty = TextField()
    reference = TextField()
    card_last_digits = TextField()
    url = TextField()
    settled_at = UtcField()
    settled_balance_cents = BigIntegerField(null=True)
    date = DateField()
    attempts = IntegerField(default=0)
    refusals = IntegerField(default=0)
    alone = BooleanField(default=False)
    batch_id = BigIntegerField(null=True, index=True)
    xero_account_id = TextField(default="")
    bank_transaction_id = TextField(default="")
    created_at = UtcField()
    changed_at = UtcField()

    class Meta:
        indexes = (
            (("tenant_id", "transaction_id"), True),
            (("connection_id", "state"), False),
            (("bank_account_id", "settled_at"), False),
            (("transaction_id",), False),
        )


class PostingEvent(Table):
    """One step in a posting's story, append only, written with the step itself."""

    id = BigAutoField()
    posting_id = BigIntegerField(index=True, constraints=[SQL("REFERENCES posting (id)")])
    at = UtcField()
    state = TextField()
    reason = TextField(default="")
    detail = TextField(default="")
    batch_id = BigIntegerField(null=True)


def insert_new(rows: Sequence[Mapping[str, Any]]) -> int:
    """Store the transactions that this Xero organisation does not have yet; how many were new."""
    return sum(
        Posting.insert_many(chunk)
        .on_conflict(conflict_target=[Posting.tenant_id, Posting.transaction_id], action="IGNORE")
        .as_rowcount()
        .execute()
        for chunk in chunked(rows, ROWS_A_STATEMENT)
    )


def move(
    which: Expression,
    state: PostingState,
    now: datetime,
    *,
    reason: str = "",
    detail: str = "",
    **columns: Any,
) -> int:
    """Move every posting that `which` selects into `state`, and write that step of their story; how many moved.

    The story is written first, from the same condition, so both see the same rows of the same transaction.
    """
    batch = Value(columns["batch_id"]) if "batch_id" in columns else Posting.batch_id
    PostingEvent.insert_from(
        Posting.select(
            Posting.id, Value(now), Value(str(state)), Value(reason), Value(detail), batch.cast("BIGINT")
        ).where(which),
        [
            PostingEvent.posting_id,
            PostingEvent.at,
            PostingEvent.state,
            PostingEvent.reason,
            PostingEvent.detail,
            PostingEvent.batch_id,
        ],
    ).execute()
    moved = (
        Posting.update(state=state, reason=reason, reason_detail=detail, changed_at=now, **columns)
        .where(which)
        .execute()
    )
    return int(moved)


def record_bank_transactions(rows: Sequence[tuple[int, str, str]]) -> None:
    """Remember Xero's ids: (posting id, bank transaction id, Xero account id)."""
    statement = "UPDATE posting SET bank_transaction_id = :p:, xero_account_id = :p: WHERE id = :p:"
    database.cursor().executemany(
        statement.replace(":p:", database.param), [(transaction, account, key) for key, transaction, account in rows]
    )


def count_by_state(which: Expression) -> dict[tuple[str, str], int]:
    """How many postings are in each (state, reason)."""
    rows = (
        Posting.select(Posting.state, Posting.reason, fn.COUNT(Posting.id))
        .where(which)
        .group_by(Posting.state, Posting.reason)
        .order_by(Posting.state, Posting.reason)
        .tuples()
    )
    return {(str(state), str(reason)): int(count) for state, reason, count in cast("Iterable[tuple[Any, ...]]", rows)}


def due_postings(connection_id: str, limit: int) -> list[Posting]:
    """The next postings to send, oldest first. One that must travel alone comes by itself."""
    found = list(
        Posting.select()
        .where((Posting.connection_id == connection_id) & (Posting.state == PostingState.DUE))
        .order_by(Posting.settled_at, Posting.id)
        .limit(limit)
    )
    if found and found[0].alone:
        return found[:1]
    return [posting for posting in found if not posting.alone]


def members(batch_ids: Iterable[int]) -> list[Posting]:
    """The postings of these batches."""
    return list(Posting.select().where(Posting.batch_id.in_(list(batch_ids))).order_by(Posting.id))
