"""Before anything is sent again by a database that may have forgotten: look in Xero for everything that is not settled.

After a restore, what was posted since the backup is due again by our own record. It is found by its link and adopted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.reasons import Excluded, Held
from domain.recovery import PROOF_AFTER, LookUp
from models import audit
from models.bank_account import doubt_account, doubted_accounts, trust_account, unread_accounts
from models.database import transaction
from models.organisation import Connection, doubt_record, note_verified
from models.pause import pause_tenant
from models.posting import Member, Posting, members, move, unsettled
from models.posting_batch import PostingBatch, open_batches
from models.states import ConnectionState, PostingState
from models.sync_run import read_again
from services.job import Job
from services.look_up import Found, find_in_xero, store_found, the_one
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
            doubt_record(connection, since - MARGIN)
            pause_tenant(connection.tenant_id, now + PROOF_AFTER, "the database was restored")
            audit.record(who, "connection.verify", connection.id, now, reason)
        read_again()
    return len(connections)


def verify(job: Job) -> datetime | None:
    """Adopt what Xero has of all that is not settled here; until when nothing may be sent yet, if that cannot be told.

    It is done with once everything at Qonto had been read before that can be; until then each turn looks anew. An
    account that cannot be read is verified by itself before anything of it is sent. A batch that by our record may
    still be under way is left to recovery, which knows how long to wait.
    """
    if job.connection.verify_since is None:
        _verify_accounts(job)
        return None
    started = job.now()
    certain_at: datetime = job.connection.created_at + PROOF_AFTER
    if started < certain_at:  # what was sent over the former connection may come late
        return certain_at
    batches = [batch for batch in open_batches(job.connection.id) if _is_decidable(job, batch)]
    in_batches = members(batch.id for batch in batches)
    others = unsettled(job.organisation.id, job.tenant_id, Excluded.ACCOUNT_GONE)
    found = find_in_xero(job, [*in_batches, *others], job.connection.verify_since)
    undecided = {PostingState.SENDING, PostingState.UNCERTAIN}
    for batch in batches:
        mine = [posting for posting in in_batches if posting.batch_id == batch.id and posting.state in undecided]
        store_look_up(job, batch, mine, found, started)
    unread, since = _unread(job), job.connection.verify_since
    with job.holding():
        _store(job, others, found)
        if unread is not None and note_verified(job.connection):
            _trust(job, unread)
            for account_id in unread:
                doubt_account(job.connection, account_id, since)
    return None


def _verify_accounts(job: Job) -> None:
    """The same for what could not be read when the rest was verified, once it can be or something of it is due."""
    doubted = doubted_accounts(job.connection.id)
    if not doubted:
        return
    unread = _unread(job)
    readable = doubted.keys() - unread if unread is not None else set()
    ours = unsettled(job.organisation.id, job.tenant_id, Excluded.ACCOUNT_GONE, list(doubted))
    is_needed = ours and (readable or any(posting.state == PostingState.DUE for posting in ours))
    found = find_in_xero(job, ours, min(doubted.values())) if is_needed else None
    with job.holding():
        if found is not None:
            _store(job, ours, found)
        for account_id in readable:
            trust_account(job.connection.id, account_id)


def _store(job: Job, postings: Sequence[Member], found: Found) -> None:
    store_found(job, postings, found)
    surplus = [posting.id for posting in postings if found[posting.id] and not the_one(found[posting.id])]
    move(Posting.id.in_(surplus), PostingState.HELD, job.now(), reason=Held.TWICE_IN_XERO)


def _trust(job: Job, unread: set[str]) -> None:
    for account_id in doubted_accounts(job.connection.id).keys() - unread:
        trust_account(job.connection.id, account_id)


def _unread(job: Job) -> set[str] | None:
    """Return the accounts that cannot be read, `None` while others are still to be read in this run."""
    if job.unread is None and job.run.prepared_at is not None:
        return set(unread_accounts(job.connection.id))
    return job.unread


def _is_decidable(job: Job, batch: PostingBatch) -> bool:
    return batch.first_sent_at is None or isinstance(step_of(batch, job.instant()), LookUp)
