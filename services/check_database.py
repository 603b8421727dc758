"""What our own database can be held to without asking anybody: I3, I7, I10, I12, I15, I16 and I22."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise

from domain.calendar import NIGHT, falls_due, latest_due, local_date
from domain.ledger_check_lines import Line
from domain.reasons import Again, Followed, Held
from domain.recovery import PROOF_AFTER
from domain.what_next import NO_SCHEDULER
from models.bank_account import BankAccount
from models.heartbeat import SCHEDULER, is_silent, last_beat
from models.inbox import InboxEvent
from models.lease import LEASE, LeaseRow
from models.once_more import RECREATED
from models.organisation import Connection, Organisation
from models.posting import Posting, PostingEvent, of_organisation
from models.posting_batch import PostingBatch, open_batches
from models.states import OPEN_RUN_STATES, ConnectionState, PostingState, RunKind
from models.sync_run import SyncRun

PICKED_UP = timedelta(seconds=60)  # how long what nobody works on may lie before somebody is woken
OPENED = timedelta(minutes=5)  # after 23:00, by when a scheduler that runs has opened the night
FOLLOWED = timedelta(minutes=15)  # after a worker was told of it, the longest that an event may wait for Qonto's lists
SEEN = (Followed.IN_XERO, Followed.STOPPED)  # outcomes that say that Qonto showed the account like this
NIGHTS_BACK = 14  # the scheduler writes down missed nights so far back
CLOCKS = timedelta(seconds=5)  # between two machines
ON_ITS_WAY = (PostingState.SENDING, PostingState.UNCERTAIN)
UNANSWERED = (Held.NO_ANSWER, Held.TWICE_IN_XERO, Held.UNRECOGNISED)  # held, but not because Xero refused it


def lines_of_database(connection: Connection, now: datetime, *, awake_at: datetime | None = None) -> list[Line]:
    """A line an invariant, for one connection's organisation. `awake_at`: when a scheduler last ticked, default now."""
    return [
        Line("I3", list(_sent_after_deletion(connection))),
        Line("I7", list(_left_behind(connection, now))),
        Line("I10", list(_unproved_attempts(connection))),
        Line("I12", list(_wrong_fences(connection, now))),
        Line("I15", list(_events_left(connection, now))),
        Line("I16", list(_runs_twice(connection))),
        Line("I22", list(_missing_nights(connection, awake_at or now))),
    ]


def open_runs_of(connection: Connection) -> list[SyncRun]:
    """The organisation's runs that have not ended."""
    mine = SyncRun.organisation_id == connection.organisation_id
    return list(SyncRun.select().where(mine & SyncRun.state.in_(OPEN_RUN_STATES)).order_by(SyncRun.id))


def _of(connection: Connection) -> object:
    """The postings of a connection's organisation in its Xero organisation, earlier connections' too."""
    return of_organisation(connection.organisation_id, connection.tenant_id)


def _sent_after_deletion(connection: Connection) -> Iterator[str]:
    gone = (
        PostingEvent.select(PostingEvent.posting_id)
        .join(Posting, on=(Posting.id == PostingEvent.posting_id))
        .where(_of(connection) & (PostingEvent.state == PostingState.DELETED))
    )
    ids = sorted({event.posting_id for event in gone})
    for posting, events in _stories(ids):
        if _is_sent_after_deletion(events):
            yield f"{posting.transaction_id} was sent again after a person had deleted it"


def _is_sent_after_deletion(events: list[PostingEvent]) -> bool:
    is_deleted = False
    for event in events:
        if event.state == PostingState.SENDING and is_deleted:
            return True
        is_deleted = event.state == PostingState.DELETED or (is_deleted and event.reason != RECREATED)
    return False


def _left_behind(connection: Connection, now: datetime) -> Iterator[str]:
    """A connection that needs reconnecting waits for a person, and says so; one that has ended is left as it was."""
    lease = LeaseRow.get_or_none(LeaseRow.organisation_id == connection.organisation_id)
    if lease and lease.owner and lease.expires_at > now:
        return
    if connection.state in {ConnectionState.NEEDS_RECONNECT, ConnectionState.DISCONNECTED}:
        return
    runs = open_runs_of(connection)
    if any(run.wake_at > now - PICKED_UP for run in runs):
        return
    why = ", ".join(f"run {run.id} should have been woken at {run.wake_at:%F %T}" for run in runs) or "no run is open"
    wait_for_night: set[int | None] = set()
    for posting in Posting.select().where(_of(connection) & Posting.state.in_(ON_ITS_WAY)).order_by(Posting.id):
        if posting.reason:  # it cannot be looked up, and says so
            wait_for_night.add(posting.batch_id)
        else:
            yield f"{posting.transaction_id} is {posting.state}, nobody works on it, and {why}"
    for batch in open_batches(connection.id):
        if batch.id not in wait_for_night:
            yield f"batch {batch.id} is {batch.state}, nobody works on it, and {why}"


def _unproved_attempts(connection: Connection) -> Iterator[str]:
    """A posting that was in several batches: each but the last was answered, never processed, or proved absent."""
    retried = Posting.select(Posting.id).where(_of(connection) & (Posting.attempts > 1)).order_by(Posting.id)
    for posting, events in _stories([posting.id for posting in retried]):
        sendings = [number for number, event in enumerate(events) if event.state == PostingState.SENDING]
        if len(sendings) != posting.attempts:
            yield f"{posting.transaction_id} counts {posting.attempts} attempts and its story tells {len(sendings)}"
        for number, following in pairwise(sendings):
            if any(event.reason == RECREATED for event in events[number:following]):
                continue
            batch = PostingBatch.get_or_none(PostingBatch.id == events[number].batch_id)
            if batch is None:
                yield f"{posting.transaction_id}: an attempt's batch is not stored"
            elif not _may_be_followed(batch, events[number + 1 :]):
                yield f"{posting.transaction_id} got a new key after batch {batch.id} without a proof of absence"


def _may_be_followed(batch: PostingBatch, later: list[PostingEvent]) -> bool:
    if batch.first_sent_at is None:
        return True
    if batch.looked_up_at is not None and batch.looked_up_at >= batch.first_sent_at + PROOF_AFTER:
        return True
    outcome = next(event for event in later if event.state != PostingState.UNCERTAIN)
    refused = outcome.state in {PostingState.HELD, PostingState.REJECTED} or outcome.reason == Again.BESIDE_OTHERS
    return refused and outcome.reason not in UNANSWERED


def _wrong_fences(connection: Connection, now: datetime) -> Iterator[str]:
    leases = list(LeaseRow.select().where(LeaseRow.organisation_id == connection.organisation_id))
    live = [lease for lease in leases if lease.owner and lease.expires_at > now]
    if len(live) > 1:
        yield f"{len(live)} live leases"
    for lease in live:
        if lease.expires_at > now + LEASE + CLOCKS:
            yield f"the lease of {lease.owner} ends only at {lease.expires_at:%F %T}"
    highest = max((lease.fence for lease in leases), default=0)
    mine = Connection.select(Connection.id).where(Connection.organisation_id == connection.organisation_id)
    ahead = PostingBatch.connection_id.in_(mine) & (PostingBatch.fence > highest)
    for batch in PostingBatch.select().where(ahead).order_by(PostingBatch.id):
        yield f"batch {batch.id} has fence {batch.fence}, the lease only {highest}"


def _events_left(connection: Connection, now: datetime) -> Iterator[str]:
    ours = InboxEvent.organisation_id == connection.organisation_id
    for event in InboxEvent.select().where(ours & InboxEvent.handled_at.is_null()).order_by(InboxEvent.id):
        if event.announced_at < now - FOLLOWED and connection.state == ConnectionState.LIVE:
            yield f"event {event.id} has not been followed since {event.announced_at:%F %T}"
    told = InboxEvent.select(InboxEvent.id, InboxEvent.version, BankAccount.updated_at.alias("known")).join(
        BankAccount, on=(BankAccount.id == InboxEvent.bank_account_id)
    )
    older = InboxEvent.outcome.in_(SEEN) & (BankAccount.updated_at < InboxEvent.version)
    for event in told.where(ours & older).order_by(InboxEvent.id):
        yield f"event {event.id} told of a version of its account that is newer than ours"


def _runs_twice(connection: Connection) -> Iterator[str]:
    runs = SyncRun.select(SyncRun.kind, SyncRun.local_date).where(SyncRun.organisation_id == connection.organisation_id)
    for (kind, day), times in Counter((run.kind, run.local_date) for run in runs).items():
        if times > 1:
            yield f"{times} {kind} runs of {day}"


def _missing_nights(connection: Connection, until: datetime) -> Iterator[str]:
    """Local dates of the last 14 days, since the connection was made, whose 23:00 has come and that have no run."""
    if connection.state != ConnectionState.LIVE:
        return
    zone = Organisation.get_by_id(connection.organisation_id).time_zone
    nightly = (SyncRun.organisation_id == connection.organisation_id) & (SyncRun.kind == RunKind.NIGHTLY)
    known = {run.local_date for run in SyncRun.select(SyncRun.local_date).where(nightly)}
    newest = latest_due(until - OPENED, NIGHT, zone)
    day: date = max(local_date(connection.created_at, zone), newest - timedelta(days=NIGHTS_BACK))
    last = last_beat(SCHEDULER)
    why = f"; {NO_SCHEDULER}" if is_silent(last, until) else ""
    while day <= newest:
        if day not in known and connection.created_at < falls_due(day, NIGHT, zone):
            yield f"no night for {day}{why}"
        day += timedelta(days=1)


def _stories(posting_ids: list[int]) -> Iterator[tuple[Posting, list[PostingEvent]]]:
    """Postings with their events in order, a few hundred at a time."""
    for start in range(0, len(posting_ids), 500):
        ids = posting_ids[start : start + 500]
        events: defaultdict[int, list[PostingEvent]] = defaultdict(list)
        for event in PostingEvent.select().where(PostingEvent.posting_id.in_(ids)).order_by(PostingEvent.id):
            events[event.posting_id].append(event)
        for posting in Posting.select().where(Posting.id.in_(ids)).order_by(Posting.id):
            yield posting, events[posting.id]
