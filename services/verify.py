"""Before anything is sent again by a database that may have forgotten: look in Xero for everything that is not settled.

After a restore, what was posted since the backup is due again by our own record. It is found by its link and adopted.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.reasons import Excluded, Held
from domain.recovery import PROOF_AFTER, LookUp
from models import audit
from models.database import transaction
from models.organisation import Connection, note_verified
from models.pause import pause_tenant
from models.posting import Posting, members, move, unsettled
from models.posting_batch import PostingBatch, open_batches
from models.states import ConnectionState, PostingState
from models.sync_run import read_again
from services.job import Job
from services.look_up import find_in_xero, store_found, the_one
from services.send_batches import step_of
from services.store_look_up import store_look_up

MARGIN = timedelta(hours=1)  # a backup's time is told by a person


def distrust_record(since: datetime, who: str, reason: str, now: datetime) -> int:
    """Our record may lack what happened since a moment: every connection verifies before it sends; how many do.

    A request of the time before may still be under way: nobody calls Xero for seven minutes.
    """
    with transaction():
        connections = list(Connection.select().where(Connection.state != ConnectionState.DISCONNECTED))
        for connection in connections:
            earlier = min(filter(None, (connection.verify_since, since - MARGIN)))
            Connection.update(verify_since=earlier).where(Connection.id == connection.id).execute()
            pause_tenant(connection.tenant_id, now + PROOF_AFTER, "the database was restored")
            audit.record(who, "connection.verify", connection.id, now, reason)
        read_again()
    return len(connections)


def verify(job: Job) -> datetime | None:
    """Adopt what Xero has of all that is not settled here; until when nothing may be sent yet, if that cannot be told.

    It is done with once everything at Qonto had been read before; until then each turn looks anew. A batch that by our
    record may still be under way is left to recovery, which knows how long to wait.
    """
    if job.connection.verify_since is None:
        return None
    started = job.now()
    certain_at: datetime = job.connection.created_at + PROOF_AFTER
    if started < certain_at:  # what was sent over the former connection may come late
        return certain_at
    batches = [batch for batch in open_batches(job.connection.id) if _is_decidable(job, batch)]
    in_batches = members(batch.id for batch in batches)
    others = unsettled(job.tenant_id, Excluded.ACCOUNT_GONE)
    found = find_in_xero(job, [*in_batches, *others], job.connection.verify_since)
    undecided = {PostingState.SENDING, PostingState.UNCERTAIN}
    for batch in batches:
        mine = [posting for posting in in_batches if posting.batch_id == batch.id and posting.state in undecided]
        store_look_up(job, batch, mine, found, started)
    with job.holding():
        store_found(job, others, found)
        surplus = [posting.id for posting in others if found[posting.id] and not the_one(found[posting.id])]
        move(Posting.id.in_(surplus), PostingState.HELD, job.now(), reason=Held.TWICE_IN_XERO)
        note_verified(job.connection, job.run.id)
    return None


def _is_decidable(job: Job, batch: PostingBatch) -> bool:
    return batch.first_sent_at is None or isinstance(step_of(batch, job.instant()), LookUp)
