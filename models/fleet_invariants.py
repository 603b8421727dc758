"""What our own tables can be held to for everybody at once: the ids that violate it, a thousand at most.

Each question goes by connections and by what is not settled, so it does not grow with history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from models.posting import Posting
from models.posting_batch import PostingBatch
from models.statements import read
from models.states import BatchState, RunKind
from models.sync_run import OPEN_STATES

MOST = 1_000  # ids that are named: one is an incident already

TWICE = """
    SELECT transaction_id FROM posting JOIN connection ON connection.id = posting.connection_id
    WHERE posting.state = 'held' AND posting.reason = {reason} AND connection.state <> 'disconnected'
    ORDER BY posting.id LIMIT {most}
"""

# Sending or uncertain over a live connection, nobody at work, and no run that is woken in time. What has a reason could
# not be looked up, and waits for the next night.
ORPHANS = f"""
    SELECT batch.id FROM connection JOIN posting_batch AS batch ON batch.connection_id = connection.id
    WHERE connection.state = 'live' AND batch.state IN ('intended', 'sending', 'uncertain')
    AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.organisation_id = connection.organisation_id
        AND owner <> '' AND expires_at > {{now}})
    AND NOT EXISTS (SELECT 1 FROM sync_run WHERE sync_run.organisation_id = connection.organisation_id
        AND sync_run.state IN ({OPEN_STATES}) AND wake_at > {{woken_since}})
    AND NOT EXISTS (SELECT 1 FROM posting WHERE posting.batch_id = batch.id
        AND posting.state = 'uncertain' AND posting.reason <> '')
    ORDER BY batch.id LIMIT {{most}}
"""  # noqa: S608 - names of ours

# The night is done and nothing works for the organisation, and yet something is due that was so before the night ended.
LEFT_DUE = f"""
    SELECT transaction_id FROM connection JOIN posting ON posting.connection_id = connection.id
    WHERE connection.state = 'live' AND posting.state = 'due' AND posting.changed_at < (
        SELECT MAX(finished_at) FROM sync_run WHERE sync_run.organisation_id = connection.organisation_id
        AND kind = '{RunKind.NIGHTLY}' AND local_date >= {{since}} AND sync_run.state = 'done')
    AND NOT EXISTS (SELECT 1 FROM sync_run WHERE sync_run.organisation_id = connection.organisation_id
        AND sync_run.state IN ({OPEN_STATES}))
    ORDER BY posting.id LIMIT {{most}}
"""  # noqa: S608 - names of ours

MISSED = f"""
    SELECT organisation.id FROM connection JOIN organisation ON organisation.id = connection.organisation_id
    WHERE connection.state = 'live' AND time_zone = {{time_zone}} AND connection.created_at < {{due_at}}
    AND NOT EXISTS (SELECT 1 FROM sync_run WHERE sync_run.organisation_id = organisation.id
        AND kind = '{RunKind.NIGHTLY}' AND local_date = {{local_date}})
    ORDER BY organisation.id LIMIT {{most}}
"""  # noqa: S608 - names of ours


@dataclass(frozen=True)
class Sent:
    """What we say we sent of a transaction, to be held against the bytes of its batch."""

    transaction_id: str
    url: str
    side: str
    amount_cents: int
    date: date


def transactions_held_as(reason: str) -> list[str]:
    """Qonto's ids of what is held for this reason."""
    return [str(key) for (key,) in read(TWICE, reason=reason, most=MOST)]


def batches_left_behind(now: datetime, woken_since: datetime) -> list[str]:
    """Batches without an outcome of live connections that nobody works on and nobody was woken for since a moment."""
    return [str(number) for (number,) in read(ORPHANS, now=now, woken_since=woken_since, most=MOST)]


def transactions_left_due(since: date) -> list[str]:
    """Qonto's ids of what is due although the night that should have sent it, since a local date, is done."""
    return [str(key) for (key,) in read(LEFT_DUE, since=since, most=MOST)]


def organisations_without_night(time_zone: str, local_date: date, due_at: datetime) -> list[str]:
    """Ids of connected organisations whose night of that date fell due and was never opened."""
    told = {"time_zone": time_zone, "local_date": local_date, "due_at": due_at}
    return [str(key) for (key,) in read(MISSED, **told, most=MOST)]


def newest_batches_sent(most: int) -> list[tuple[int, bytes, list[Sent]]]:
    """The newest batches that have an outcome: (number, the bytes that were sent, what we say was in them)."""
    newest = PostingBatch.select().where(PostingBatch.state == BatchState.RESOLVED)
    batches = list(newest.order_by(PostingBatch.id.desc()).limit(most))
    members: dict[int, list[Sent]] = {batch.id: [] for batch in batches}
    for one in Posting.select().where(Posting.batch_id.in_(list(members) or [0])).order_by(Posting.id):
        members[one.batch_id or 0].append(Sent(one.transaction_id, one.url, one.side, one.amount_cents, one.date))
    return [(batch.id, bytes(batch.body), members[batch.id]) for batch in batches]
