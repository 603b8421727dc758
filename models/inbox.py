"""The inbox: each event of Qonto's core once, however often it is delivered, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from peewee import BigAutoField, TextField

from models.database import Table, UtcField, transaction
from models.statements import find, read, run, run_with_rows
from models.states import Lane, RunKind
from models.sync_run import OPEN_STATES, SILENCE

MOST_DIGITS = 19  # of a number that a database counts with
MOST_WOKEN = 1_000  # events announced again at once


class InboxEvent(Table):
    """`source` and `event_id` identify it; `digest` is the SHA-256 of its bytes, which are not kept.

    `version` is the account's `updated_at` that it tells of. `announced_at`: when a worker was last told of it.
    `outcome` says, once it is handled, what came of it.
    """

    id = BigAutoField()
    source = TextField()
    event_id = TextField()
    type = TextField()
    organisation_id = TextField()
    bank_account_id = TextField()
    version = UtcField()
    happened_at = UtcField()
    digest = TextField()
    received_at = UtcField()
    announced_at = UtcField()
    handled_at = UtcField(null=True)
    outcome = TextField(default="")

    class Meta:
        indexes = (
            (("source", "event_id"), True),
            (("organisation_id", "handled_at"), False),
            (("handled_at", "announced_at"), False),
        )


TOLD = ("source", "event_id", "type", "organisation_id", "bank_account_id", "version", "happened_at", "digest")
STORE = f"""
    INSERT INTO inbox_event ({", ".join(TOLD)}, received_at, announced_at, outcome)
    VALUES ({", ".join(f"{{{name}}}" for name in TOLD)}, {{now}}, {{now}}, '')
    ON CONFLICT (source, event_id) DO NOTHING RETURNING id
"""  # noqa: S608 - column names of ours


def store_event(now: datetime, **told: str | datetime) -> int | None:
    """The new event's number; `None` when it is in the inbox already."""
    stored = read(STORE, now=now, **told)
    return int(stored[0][0]) if stored else None


def event_of(source: str, event_id: str) -> InboxEvent:
    """The event of this identity. Raises LookupError."""
    found = find(InboxEvent, "source = {source} AND event_id = {event_id}", source=source, event_id=event_id)
    if not found:
        raise LookupError(f"no event {event_id} of {source} is in the inbox")
    return found[0]


UNHANDLED = "organisation_id = {organisation_id} AND handled_at IS NULL ORDER BY id"


def unhandled_events(organisation_id: str) -> list[InboxEvent]:
    """What an organisation's next accounts run has to follow, in the order in which it came."""
    return find(InboxEvent, UNHANDLED, organisation_id=organisation_id)


LATE = "SELECT count(*) FROM inbox_event WHERE handled_at IS NULL AND received_at < {moment}"


def unhandled_since(moment: datetime) -> int:
    """How many events came before then and are not handled."""
    return int(read(LATE, moment=moment)[0][0])


SETTLE = "UPDATE inbox_event SET handled_at = {now}, outcome = {outcome} WHERE id = {id} AND handled_at IS NULL"


def settle_event(event_id: int, outcome: str, now: datetime) -> None:
    """It is handled, and this is what came of it."""
    run(SETTLE, id=event_id, outcome=outcome, now=now)


def choose_events(
    *,
    ids: Sequence[int] = (),
    type_: str = "",
    organisation_id: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    only_unhandled: bool = False,
    limit: int | None = None,
) -> list[InboxEvent]:
    """The events that all of these choose, newest first; `since` and `until` are of when they were received."""
    wanted = [
        InboxEvent.id.in_(list(ids)) if ids else None,
        InboxEvent.type == type_ if type_ else None,
        InboxEvent.organisation_id == organisation_id if organisation_id else None,
        InboxEvent.received_at >= since if since else None,
        InboxEvent.received_at < until if until else None,
        InboxEvent.handled_at.is_null() if only_unhandled else None,
    ]
    query = InboxEvent.select().order_by(InboxEvent.id.desc()).limit(limit)
    for condition in wanted:
        query = query if condition is None else query.where(condition)
    return list(query)


def events_called(name: str) -> list[InboxEvent]:
    """The events of this number or of this id, which several sources may share."""
    number = int(name) if name.isdecimal() and len(name) < MOST_DIGITS else 0
    return list(InboxEvent.select().where((InboxEvent.id == number) | (InboxEvent.event_id == name)))


def open_again(event_ids: Sequence[int], now: datetime) -> None:
    """These are to be followed once more, as if they had just come, and workers are told so."""
    InboxEvent.update(handled_at=None, outcome="", announced_at=now).where(InboxEvent.id.in_(list(event_ids))).execute()
    again = InboxEvent.select(InboxEvent.id, InboxEvent.type).where(InboxEvent.id.in_(list(event_ids)))
    announce_events([(event.id, event.type) for event in again.order_by(InboxEvent.id)], now)


UNFOLLOWED = f"""
    handled_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM sync_run WHERE sync_run.organisation_id = inbox_event.organisation_id
        AND kind = '{RunKind.ACCOUNTS}' AND state IN ({OPEN_STATES}))
"""  # noqa: S608 - names of ours
SILENT_EVENT = f"announced_at <= {{since}} AND {UNFOLLOWED}"
SILENT = f"""
    UPDATE inbox_event SET announced_at = {{now}} WHERE id IN (
        SELECT id FROM inbox_event WHERE {SILENT_EVENT} ORDER BY id LIMIT {{most}}
    ) AND handled_at IS NULL AND announced_at <= {{since}} RETURNING id, type
"""  # noqa: S608 - names of ours
ANNOUNCED = {"event_id": "bigint", "actor": "text"}
ANNOUNCE = f"""
    INSERT INTO outbox_message (lane, actor, arguments, created_at, claimed_by)
    SELECT '{Lane.INTERACTIVE}', actor, '{{{{"event_id": ' || event_id || '}}}}', {{now}}, '' FROM {{rows}} AS new
"""  # noqa: S608 - names of ours


def announce_silent_events(most: int, now: datetime) -> int:
    """Announce again up to `most` events that no worker has taken up within `SILENCE`, the oldest first."""
    with transaction():
        silent = read(SILENT, now=now, since=now - SILENCE, most=min(most, MOST_WOKEN))
        announce_events(silent, now)
    return len(silent)


def announce_events(events: Sequence[tuple[int, str]], now: datetime) -> None:
    """Tell workers of these: (number, type). An event's type is the name of the actor that follows it."""
    if events:
        run_with_rows(ANNOUNCE, ANNOUNCED, events, now=now)
