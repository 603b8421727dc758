"""Posting batches: the frozen requests. What was once sent can be sent again only byte for byte."""

from __future__ import annotations

from peewee import SQL, BigAutoField, BigIntegerField, BlobField, IntegerField, TextField

from models.database import Table, UtcField
from models.states import OPEN_BATCH_STATES


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

    class Meta:
        indexes = ((("connection_id", "state"), False),)
        only_save_dirty = True  # the body is large and never changes


def open_batches(connection_id: str) -> list[PostingBatch]:
    """Batches without an outcome, oldest first."""
    return list(
        PostingBatch.select()
        .where((PostingBatch.connection_id == connection_id) & PostingBatch.state.in_(OPEN_BATCH_STATES))
        .order_by(PostingBatch.id)
    )
