"""Posting batches: the frozen requests. What was once sent can be sent again only byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import SQL, BigAutoField, BigIntegerField, BlobField, IntegerField, TextField

from models.database import Table, UtcField
from models.posting import Member, members
from models.statements import find, read, run
from models.states import OPEN_BATCH_STATES, BatchState


class PostingBatch(Table):
    """One request to Xero: exact `body`, its hash, its Idempotency-Key, and when it was sent.

    `first_sent_at` starts Xero's six-minute memory of the key, by the database's clock; `first_sent_machine` is the
    same moment by the clock of the machine that sent it. `looked_up_at` and `looked_up_found` are the proof that a
    later attempt needs. `fence` is the lease under which it was last touched.
    """

    id = BigAutoField()
    tenant_id = TextField()
    connection_id = TextField(constraints=[SQL("REFERENCES connection (id)")])
    attempt = IntegerField()
    key = TextField(unique=True)
    body = BlobField()
    body_sha256 = TextField()
    size = IntegerField()
    state = TextField()
    sends = IntegerField(default=0)
    fence = BigIntegerField()
    created_at = UtcField()
    first_sent_at = UtcField(null=True)
    last_sent_at = UtcField(null=True)
    first_sent_machine = UtcField(null=True)
    last_sent_machine = UtcField(null=True)
    refused = TextField(default="")
    problem = TextField(default="")
    looked_up_at = UtcField(null=True)
    looked_up_found = IntegerField(null=True)
    resolved_at = UtcField(null=True)

    frozen: Sequence[Member] | None = None  # its postings, in the hands of whoever froze them

    class Meta:
        indexes = ((("connection_id", "state"), False),)


INTENDED = (
    "tenant_id",
    "connection_id",
    "attempt",
    "key",
    "body",
    "body_sha256",
    "size",
    "state",
    "fence",
    "created_at",
)
INTEND = f"""
    INSERT INTO posting_batch ({", ".join(INTENDED)}, sends, refused, problem)
    VALUES ({", ".join(f"{{{name}}}" for name in INTENDED)}, 0, '', '') RETURNING id
"""  # noqa: S608 - column names of ours
PROGRESS = (
    "state",
    "sends",
    "fence",
    "first_sent_at",
    "last_sent_at",
    "first_sent_machine",
    "last_sent_machine",
    "refused",
    "problem",
    "looked_up_at",
    "looked_up_found",
    "resolved_at",
)
STORE_PROGRESS = f"""
    UPDATE posting_batch SET {", ".join(f"{name} = {{{name}}}" for name in PROGRESS)} WHERE id = {{id}}
"""  # noqa: S608 - column names of ours


def intend(body: bytes, now: datetime, **columns: Any) -> PostingBatch:
    """Store a request of which nothing has been sent."""
    values = columns | {"body": body, "state": str(BatchState.INTENDED), "created_at": now}
    ((batch_id,),) = read(INTEND, **values)
    return PostingBatch(id=batch_id, **values)


def store_progress(batch: PostingBatch) -> None:
    """Write how far a batch has come: all of it but what was intended, which never changes."""
    run(STORE_PROGRESS, id=batch.id, **{name: getattr(batch, name) for name in PROGRESS})


OPEN = f"""
    connection_id = {{connection_id}}
    AND state IN ({", ".join(f"'{state}'" for state in sorted(OPEN_BATCH_STATES))}) ORDER BY id
"""


def members_of(batch: PostingBatch) -> Sequence[Member]:
    """Its postings: as they were frozen, if this is the turn that froze them, for nobody else moves them meanwhile."""
    return batch.frozen or members([batch.id])


def open_batches(connection_id: str) -> list[PostingBatch]:
    """Batches without an outcome, oldest first."""
    return find(PostingBatch, OPEN, connection_id=connection_id)
