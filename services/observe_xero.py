"""See what people changed in Xero: a transaction deleted there is shown as deleted, and stays deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from models.organisation import Connection
from models.posting import IDS_A_STATEMENT, Posting, move, of_tenant
from models.states import PostingState
from services.job import Job
from services.look_up import rows_changed

SEEN_TWICE = timedelta(hours=25)  # more than a day, however long that is


def observe_xero(job: Job) -> int:
    """Note the deletions since the look before the last one, and return how many are new.

    So each change is in the answers of two looks, and one that lacks rows hides no deletion. One read of Xero for each
    1,000 rows that changed.
    """
    started = job.now()
    since = (job.connection.observed_until or job.connection.starts_at) - SEEN_TWICE
    deleted = [row.bank_transaction_id for row in rows_changed(job, since) if row.is_deleted]
    seen = note_deleted(job, deleted)
    with job.holding():
        Connection.update(observed_until=started).where(Connection.id == job.connection.id).execute()
    return seen


def note_deleted(job: Job, rows: Sequence[str]) -> int:
    """These rows are deleted in Xero, by their ids there: whatever of them we call posted is so no more; how many."""
    seen = 0
    for start in range(0, len(rows), IDS_A_STATEMENT):
        ids = list(rows[start : start + IDS_A_STATEMENT])
        ours = of_tenant(job.tenant_id) & Posting.bank_transaction_id.in_(ids)
        with job.holding():
            seen += move(ours & (Posting.state == PostingState.POSTED), PostingState.DELETED, job.now())
    return seen
