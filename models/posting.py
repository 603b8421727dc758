"""Postings: our record of each Qonto transaction for one Xero organisation. They outlive the connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
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
    fn,
)

from models.database import Table, UtcField, read_moment
from models.organisation import Connection
from models.statements import read, run_both_with_rows, run_with_rows
from models.states import PostingState

IDS_A_STATEMENT = 500


class Posting(Table):
    """One row per (Xero organisation, Qonto transaction), for ever. Money in integer cents of `currency`.

    `date` is the day it settled on the organisation's own calendar; `url` its link to Qonto, by which we know it again
    in Xero, so it never changes. `attempts` counts the batches it was in, `refusals` how often Xero refused it by
    itself; `alone` asks for a batch of its own, after Xero refused a whole batch unread. `former_ids`, with spaces
    between them, are rows in Xero that stand for it no more: a person deleted them and then asked us to make it again,
    or deleted them as surplus copies. `updated_at` is Qonto's, of the version that is stored; empty where an earlier
    release stored it. `changed_to` says what Qonto changed after it was sent, and `changed_cents` what it then moves,
    signed, if that is otherwise; both are empty while it is as it was sent. `noted_at`: when a sum or a day
    was last found changed, or when Xero answered otherwise than was sent.
    """

    id = BigAutoField()
    tenant_id = TextField()
    transaction_id = TextField()
    organisation_id = TextField()
    connection_id = TextField()
    bank_account_id = TextField()
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
    former_ids = TextField(default="")
    updated_at = UtcField(null=True)
    changed_cents = BigIntegerField(null=True)
    changed_to = TextField(default="")
    noted_at = UtcField(null=True)
    created_at = UtcField()
    changed_at = UtcField()

    class Meta:
        indexes = (
            (("transaction_id", "tenant_id"), True),
            (("connection_id", "state"), False),
            (("bank_account_id", "settled_at"), False),
        )


Posting.add_index(
    Posting.index(
        Posting.state,
        Posting.reason,
        Posting.changed_at,
        name="posting_problem",
        where=SQL("state IN ('uncertain', 'held', 'rejected')"),
    )
)


Posting.add_index(
    Posting.index(Posting.tenant_id, Posting.noted_at, name="posting_noted", where=SQL("noted_at IS NOT NULL"))
)


class PostingEvent(Table):
    """One step in a posting's story, append only, written with the step itself."""

    id = BigAutoField()
    posting_id = BigIntegerField(index=True)
    at = UtcField()
    state = TextField()
    reason = TextField(default="")
    detail = TextField(default="")
    batch_id = BigIntegerField(null=True)


NEW = {
    "tenant_id": "text",
    "transaction_id": "text",
    "organisation_id": "text",
    "connection_id": "text",
    "bank_account_id": "text",
    "state": "text",
    "reason": "text",
    "side": "text",
    "amount_cents": "bigint",
    "currency": "text",
    "local_amount_cents": "bigint",
    "local_currency": "text",
    "operation_type": "text",
    "label": "text",
    "counterparty": "text",
    "reference": "text",
    "card_last_digits": "text",
    "url": "text",
    "settled_at": "timestamptz",
    "settled_balance_cents": "bigint",
    "date": "date",
    "updated_at": "timestamptz",
}


def of_tenant(tenant_id: str) -> Any:
    """The postings of a Xero organisation, found by the connections to it."""
    theirs = Connection.select(Connection.id).where(Connection.tenant_id == tenant_id)
    return Posting.connection_id.in_(theirs) & (Posting.tenant_id == tenant_id)


def of_organisation(organisation_id: str, tenant_id: str) -> Any:
    """Return the condition for an organisation's postings in a Xero organisation, over earlier connections too.

    Another Qonto organisation may have been connected to the same Xero organisation before.
    """
    return of_tenant(tenant_id) & (Posting.organisation_id == organisation_id)


INSERT_NEW = f"""
    INSERT INTO posting
        ({", ".join(NEW)}, created_at, changed_at,
         reason_detail, attempts, refusals, alone, xero_account_id, bank_transaction_id)
    SELECT {", ".join(NEW)}, {{now}}, {{now}}, '', 0, 0, FALSE, '', ''
    FROM {{rows}} AS new WHERE TRUE
    ON CONFLICT (transaction_id, tenant_id) DO NOTHING
"""  # noqa: S608 - column names of ours


def insert_new(rows: Sequence[Mapping[str, Any]], now: datetime) -> int:
    """Store the transactions that this Xero organisation does not have yet; how many were new."""
    return run_with_rows(INSERT_NEW, NEW, [[row[name] for name in NEW] for row in rows], now=now)


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
    _tell(which, state, now, reason, detail, batch)
    moved = (
        Posting.update(state=state, reason=reason, reason_detail=detail, changed_at=now, **columns)
        .where(which)
        .execute()
    )
    return int(moved)


def give_reason(which: Expression, reason: str, now: datetime, *, detail: str) -> None:
    """Store why every posting that `which` selects stays in its state, and since when it has been there."""
    others = which & (Posting.reason != reason)
    _tell(others, Posting.state, now, reason, detail, Posting.batch_id)
    Posting.update(reason=reason, reason_detail=detail).where(others).execute()


def note_echo(posting_id: int, reason: str, detail: str, now: datetime) -> None:
    """Store that Xero answered a posting otherwise than it was sent. It stays posted, and is a problem of the night."""
    one = Posting.id == posting_id
    give_reason(one, reason, now, detail=detail)
    Posting.update(noted_at=now).where(one).execute()


def refused_at(posting_id: int, reason: str) -> datetime | None:
    """Return when a posting was last held for a reason, `None` if it never was."""
    ours = (PostingEvent.posting_id == posting_id) & (PostingEvent.reason == reason)
    last = PostingEvent.select(PostingEvent.at).where(ours).order_by(PostingEvent.id.desc()).first()
    return last.at if last else None


def transaction_of(posting_id: int) -> str:
    """Return Qonto's id of a posting's transaction."""
    return str(Posting.get_by_id(posting_id).transaction_id)


def _tell(which: Expression, state: Any, now: datetime, reason: str, detail: str, batch: Any) -> None:
    PostingEvent.insert_from(
        Posting.select(
            Posting.id,
            Value(now),
            state if isinstance(state, TextField) else Value(str(state)),
            Value(reason),
            Value(detail),
            batch.cast("BIGINT"),
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


STORED = {"id": "bigint", "bank_transaction_id": "text", "xero_account_id": "text"}
TELL_STORED = """
    INSERT INTO posting_event (posting_id, at, state, reason, detail, batch_id)
    SELECT posting.id, {now}, {state}, '', {detail}, posting.batch_id
    FROM {rows} AS new JOIN posting ON posting.id = new.id
"""
STORE = """
    UPDATE posting SET bank_transaction_id = new.bank_transaction_id, xero_account_id = new.xero_account_id,
        state = {state}, reason = '', reason_detail = {detail}, changed_at = {now}
    FROM {rows} AS new WHERE posting.id = new.id
"""


IN_BATCH = {"id": "bigint"}
TELL_IN_BATCH = """
    INSERT INTO posting_event (posting_id, at, state, reason, detail, batch_id)
    SELECT new.id, {now}, 'sending', '', '', {batch_id} FROM {rows} AS new
"""
INTO_BATCH = """
    UPDATE posting SET state = 'sending', reason = '', reason_detail = '', changed_at = {now}, batch_id = {batch_id},
        attempts = attempts + 1
    FROM {rows} AS new WHERE posting.id = new.id
"""


def move_into_batch(posting_ids: Sequence[int], batch_id: int, now: datetime) -> None:
    """These are being sent, in this batch. They move as `move` moves."""
    rows = [(posting_id,) for posting_id in posting_ids]
    run_both_with_rows(TELL_IN_BATCH, INTO_BATCH, IN_BATCH, rows, now=now, batch_id=batch_id)


def move_into_xero(rows: Sequence[tuple[int, str, str]], state: PostingState, now: datetime, detail: str = "") -> None:
    """Xero has these: (posting id, bank transaction id, Xero account id). They move as `move` moves."""
    if rows:
        run_both_with_rows(TELL_STORED, STORE, STORED, rows, now=now, state=str(state), detail=detail)


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


@dataclass(slots=True)
class Member:
    """What recovery and an outcome need to know of a posting in a batch. Columns as in `Posting`."""

    id: int
    batch_id: int | None
    url: str
    state: str
    attempts: int
    refusals: int
    alone: bool
    currency: str


NEWEST_SETTLED = """
    SELECT transaction_id, settled_at, CASE WHEN changed_cents > 0 THEN 'credit' WHEN changed_cents < 0 THEN 'debit'
        ELSE side END, COALESCE(ABS(changed_cents), amount_cents), settled_balance_cents FROM posting
    WHERE tenant_id = {tenant_id} AND bank_account_id = {bank_account_id} AND settled_at >= {since}
    AND (changed_cents IS NULL OR changed_cents <> 0) AND reason <> 'taken_back_before_sending'
    ORDER BY settled_at DESC, id DESC LIMIT {most}
"""


def newest_settled(
    tenant_id: str, bank_account_id: str, since: datetime, most: int
) -> list[tuple[str, datetime, str, int, int | None]]:
    """Return an account's newest rows, as Qonto has them and without what it took back.

    Each is (transaction id, settled at, side, amount and balance in cents).
    """
    rows = read(NEWEST_SETTLED, tenant_id=tenant_id, bank_account_id=bank_account_id, since=since, most=most)
    return [(key, read_moment(at), side, cents, balance) for key, at, side, cents, balance in rows]


def is_left_out(reason: str) -> Any:
    """Return the condition for postings that are excluded for a reason that may pass."""
    return (Posting.state == PostingState.EXCLUDED) & (Posting.reason == reason)


def unsettled(
    organisation_id: str, tenant_id: str, left_out: str, bank_account_ids: Sequence[str] | None = None
) -> list[Member]:
    """Return the postings that may be sent and, by our record, are not in Xero and in no open batch.

    `left_out` is the reason of those that are excluded and may become due again. Of all bank accounts, or of these.
    """
    ours = of_organisation(organisation_id, tenant_id)
    if bank_account_ids is not None:
        ours &= Posting.bank_account_id.in_(list(bank_account_ids))
    states = (PostingState.DUE, PostingState.HELD, PostingState.REJECTED)
    rows = (
        Posting.select(*(getattr(Posting, column.name) for column in fields(Member)))
        .where(ours & (Posting.state.in_(states) | is_left_out(left_out)))
        .order_by(Posting.id)
        .tuples()
    )
    return [Member(*row) for row in cast("Iterable[tuple[Any, ...]]", rows)]


MEMBERS = f"""
    SELECT {", ".join(column.name for column in fields(Member))} FROM posting WHERE batch_id = {{batch_id}} ORDER BY id
"""  # noqa: S608 - column names of ours


def members(batch_ids: Iterable[int]) -> list[Member]:
    """The postings of these batches, batch by batch."""
    return [Member(*row) for batch_id in batch_ids for row in read(MEMBERS, batch_id=batch_id)]
