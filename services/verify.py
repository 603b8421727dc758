"""Before anything is sent again by a database that may have forgotten: look in Xero for everything that is not settled.

After a restore, what was posted since the backup is due again by our own record. It is found by its link and adopted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from clients.errors import Permanent, Temporary, Unreadable
from domain.reasons import Excluded, Held
from domain.recovery import PROOF_AFTER, LookUp
from models import audit
from models.bank_account import (
    accounts_of,
    doubt_account,
    doubted_accounts,
    incomplete_accounts,
    trust_account,
)
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
from services.store_look_up import hold_alike, store_look_up

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


def note_complete(job: Job, read_whole: Collection[str]) -> None:
    """Note which accounts can be verified: read to their end, with nothing awaited and no difference in the balance.

    While the record is to be verified, every other account of the organisation is doubted, also one that Qonto does
    not list. Call it before the run counts as prepared, so that no later turn misses the doubt.
    """
    job.complete = set(read_whole) - incomplete_accounts(job.connection)
    if (since := job.connection.verify_since) is not None:
        with job.holding():
            for account_id in accounts_of(job.organisation.id) - job.complete:
                doubt_account(job.connection, account_id, since)


def verify(job: Job) -> datetime | None:
    """Adopt what Xero has of all that is not settled here; until when nothing may be sent yet, if that cannot be told.

    It is done with once everything at Qonto had been read before that can be; until then each turn looks anew. An
    account that cannot be read whole is verified by itself before anything of it is sent. A batch that by our record
    may still be under way is left to recovery, which knows how long to wait.
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
    all_was_read = job.complete is not None or job.run.prepared_at is not None
    with job.holding():
        _store(job, others, found)
        if all_was_read and note_verified(job.connection):
            _trust(job)
    return None


def _verify_accounts(job: Job) -> None:
    """The same for what could not be read when the rest was verified, once it can be or something of it is due.

    When the look fails, nothing of these accounts is sent in this turn; it holds up no other.
    """
    doubted = doubted_accounts(job.connection.id)
    if not doubted:
        return
    readable = doubted.keys() & (job.complete or set())
    ours = unsettled(job.organisation.id, job.tenant_id, Excluded.ACCOUNT_GONE, list(doubted))
    is_needed = ours and (readable or any(posting.state == PostingState.DUE for posting in ours))
    try:
        found = find_in_xero(job, ours, min(doubted.values())) if is_needed else None
    except (Permanent, Temporary) as error:
        job.left_out |= doubted.keys()
        is_outage = isinstance(error, Temporary) and not isinstance(error, Unreadable)
        problem = f"accounts that are still to be verified wait: {error}"
        (job.problems if is_outage else job.notes).append(problem)
        return
    with job.holding():
        if found is not None:
            _store(job, ours, found)
        _trust(job)


def _store(job: Job, postings: Sequence[Member], found: Found) -> None:
    store_found(job, postings, found)
    rows = found.rows
    surplus = [posting.id for posting in postings if rows[posting.id] and not the_one(rows[posting.id])]
    hold_alike(job, postings, found)
    move(Posting.id.in_(surplus), PostingState.HELD, job.now(), reason=Held.TWICE_IN_XERO)


def _trust(job: Job) -> None:
    for account_id in job.complete or ():
        trust_account(job.connection.id, account_id)


def _is_decidable(job: Job, batch: PostingBatch) -> bool:
    return batch.first_sent_at is None or isinstance(step_of(batch, job.instant()), LookUp)
