"""Sync runs: one organisation, one kind, one local date. The database is the record; messages only wake workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from peewee import SQL, BigAutoField, Case, DateField, IntegerField, TextField, fn

from models.database import Table, UtcField, database, transaction
from models.organisation import Connection, Organisation
from models.statements import find, read, run
from models.states import OPEN_RUN_STATES, ConnectionState, Lane, RunKind, RunState

SILENCE = timedelta(minutes=5)  # from a message until its run is announced again, if its queue lacks messages
OPEN_STATES = ", ".join(f"'{state}'" for state in OPEN_RUN_STATES)  # as SQL
FIRST_DONE = f"COALESCE(first_done_at, CASE WHEN state = '{RunState.DONE}' THEN finished_at END)"  # or empty
PARAMETER = ":p:"


class SyncRun(Table):
    """`wake_at`: when a worker should look at it again, unless one holds the organisation's lease.

    `wave` is set from its being announced until a worker begins; `wake_at` is then when its message counts as late.
    `turns` counts the jobs that worked on it, `starts` those in a row that never ended, `failures` those in a row that
    ended badly. Once `prepared_at` is set, accounts and transactions have been read and only posting is left. The
    counts say what this run did. `reason` says why it is not done, for people, and `code` the same in a word of
    `domain.reasons`. `read_from`: its next turn reads Qonto anew from that moment on. `first_done_at`: when it was done
    first, kept from its being opened again on; SQL asks for `FIRST_DONE`, which knows it of every run.
    """

    id = BigAutoField()
    organisation_id = TextField(constraints=[SQL("REFERENCES organisation (id)")])
    connection_id = TextField(constraints=[SQL("REFERENCES connection (id)")])
    kind = TextField()
    local_date = DateField()
    lane = TextField()
    state = TextField(default=RunState.DUE)
    reason = TextField(default="")
    code = TextField(default="")
    wake_at = UtcField()
    wave = TextField(default="", index=True)
    turns = IntegerField(default=0)
    starts = IntegerField(default=0)
    failures = IntegerField(default=0)
    imported = IntegerField(default=0)
    posted = IntegerField(default=0)
    accounts_created = IntegerField(default=0)
    created_at = UtcField()
    read_from = UtcField(null=True)
    prepared_at = UtcField(null=True)
    started_at = UtcField(null=True)
    finished_at = UtcField(null=True)
    first_done_at = UtcField(null=True)

    class Meta:
        indexes = (
            (("organisation_id", "kind", "local_date"), True),
            (("state", "wake_at"), False),
            (("kind", "local_date"), False),
        )


@dataclass(frozen=True)
class Night:
    """For one time zone: the local date, and the moment at which that date's run falls due."""

    time_zone: str
    local_date: date
    due_at: datetime


def open_run(run_id: int) -> SyncRun | None:
    """This run, unless it is over."""
    found = find(SyncRun, "id = {run_id}", run_id=run_id)
    return found[0] if found and found[0].state in OPEN_RUN_STATES else None


def is_open(organisation_id: str, kind: RunKind) -> bool:
    """Whether an organisation has a run of this kind that is not over."""
    ours = (SyncRun.organisation_id == organisation_id) & (SyncRun.kind == kind)
    return bool(SyncRun.select().where(ours & SyncRun.state.in_(OPEN_RUN_STATES)).exists())


def any_run_of(kind: RunKind, local_date: date) -> bool:
    """Whether any organisation has a run of this kind and date."""
    return bool(SyncRun.select().where((SyncRun.kind == kind) & (SyncRun.local_date == local_date)).exists())


def newest_nights(connection_id: str, most: int) -> list[SyncRun]:
    """A connection's nights, the newest first, without those that a later one caught up on."""
    ours = (SyncRun.connection_id == connection_id) & (SyncRun.kind == RunKind.NIGHTLY)
    nights = SyncRun.select().where(ours & (SyncRun.state != RunState.CAUGHT_UP))
    return list(nights.order_by(SyncRun.local_date.desc()).limit(most))


def zones_in_use() -> list[str]:
    """The time zones of organisations with a live connection."""
    rows = (
        Organisation.select(Organisation.time_zone)
        .join(Connection, on=(Connection.organisation_id == Organisation.id))
        .where(Connection.state == ConnectionState.LIVE)
        .distinct()
        .order_by(Organisation.time_zone)
    )
    return [row.time_zone for row in rows]


AGAIN_IN_ANOTHER_ZONE = f"""
    DO UPDATE SET state = '{RunState.DUE}', connection_id = excluded.connection_id, wake_at = excluded.wake_at,
        created_at = excluded.created_at, reason = '', code = '', wave = '', starts = 0, failures = 0,
        started_at = NULL, finished_at = NULL, prepared_at = NULL, read_from = NULL, first_done_at = NULL
    WHERE sync_run.created_at < excluded.wake_at AND sync_run.state NOT IN ({OPEN_STATES})
"""


def open_runs(kind: RunKind, lane: str, state: RunState, nights: Sequence[Night], now: datetime) -> int:
    """One run for each live connection made before its night fell due, unless that date has one; how many are opened.

    A date's run that is over and was opened before the date's night falls due was another time zone's: it is opened
    again, so that a change of zone leaves no gap. One statement, however many organisations; any number of schedulers
    may say it at once.
    """
    if not nights:
        return 0
    again = AGAIN_IN_ANOTHER_ZONE if state == RunState.DUE else "DO NOTHING"
    values = ", ".join([f"({PARAMETER}, {PARAMETER}, {PARAMETER})"] * len(nights))
    statement = f"""
        INSERT INTO sync_run (organisation_id, connection_id, kind, local_date, lane, state, reason, wake_at, wave,
                              turns, starts, failures, imported, posted, accounts_created, created_at)
        WITH night (time_zone, local_date, due_at) AS (VALUES {values})
        SELECT organisation.id, connection.id, {PARAMETER}, night.local_date, {PARAMETER}, {PARAMETER}, '',
               night.due_at, '', 0, 0, 0, 0, 0, 0, {PARAMETER}
        FROM connection
        JOIN organisation ON organisation.id = connection.organisation_id
        JOIN night ON night.time_zone = organisation.time_zone
        WHERE connection.state = 'live' AND connection.created_at < night.due_at
        AND NOT EXISTS (SELECT 1 FROM sync_run AS held WHERE held.organisation_id = organisation.id
                        AND held.kind = {PARAMETER} AND held.local_date = night.local_date
                        AND (held.created_at >= night.due_at OR held.state IN ({OPEN_STATES})))
        ON CONFLICT (organisation_id, kind, local_date) {again}
    """.replace(PARAMETER, database.param)  # noqa: S608 - only place holders are put into the text
    cells = [cell for night in nights for cell in (night.time_zone, night.local_date, night.due_at)]
    cursor = database.execute_sql(statement, (*cells, kind, lane, state, now, kind))
    return int(cursor.rowcount)


PROBES = f"""
    INSERT INTO sync_run (organisation_id, connection_id, kind, local_date, lane, state, reason, wake_at, wave,
                          turns, starts, failures, imported, posted, accounts_created, created_at)
    SELECT organisation_id, id, '{RunKind.PROBE}', {{today}}, '{Lane.NIGHTLY}', '{RunState.DUE}', '', {{now}}, '',
           0, 0, 0, 0, 0, 0, {{now}}
    FROM connection WHERE state = '{ConnectionState.NEEDS_RECONNECT}'
    AND NOT EXISTS (SELECT 1 FROM access_refusal AS refused
                    WHERE refused.connection_id = connection.id AND refused_at > {{lately}})
    AND NOT EXISTS (SELECT 1 FROM sync_run AS probe WHERE probe.organisation_id = connection.organisation_id
                    AND kind = '{RunKind.PROBE}' AND probe.created_at > {{lately}})
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - names of ours


def open_probes(every: timedelta, now: datetime) -> int:
    """Open a probe for each broken connection that nobody has asked for within `every`, at most one a date; how many.

    One statement, and safe for any number of schedulers.
    """
    return run(PROBES, today=now.date(), now=now, lately=now - every)


DUE = f"""
    state IN ({OPEN_STATES}) AND wake_at <= {{now}} AND NOT EXISTS (
        SELECT 1 FROM lease
        WHERE lease.organisation_id = sync_run.organisation_id AND owner <> '' AND expires_at > {{now}})
"""  # noqa: S608 - names of ours
SILENT_RUN = f"wave <> '' AND {DUE}"
WAKE = f"UPDATE sync_run SET wave = {{wave}}, wake_at = {{silent_at}} WHERE wave = '' AND {DUE}"  # noqa: S608
WAKE_AGAIN = f"""
    UPDATE sync_run SET wave = {{wave}}, wake_at = {{silent_at}} WHERE id IN (
        SELECT id FROM sync_run WHERE lane = {{lane}} AND {SILENT_RUN} ORDER BY wake_at, id LIMIT {{most}}
    ) AND wave <> '' AND wake_at <= {{now}}
"""  # noqa: S608 - names of ours
ANNOUNCE = """
    INSERT INTO outbox_message (lane, actor, arguments, created_at, claimed_by)
    SELECT lane, {actor}, '{{"run_id": ' || id || '}}', {now}, '' FROM sync_run WHERE wave = {wave} ORDER BY id
"""


def wake_runs(actor: str, now: datetime) -> int:
    """Announce each open run whose time has come, unless its message waits or a worker has the lease; return how many.

    The same for a run that is new, one that waited, and one whose worker died. A run whose message was lost is
    announced again by `models.lost_messages`.
    """
    return _announce(WAKE, actor, now)


def announce_silent_runs(actor: str, lane: str, most: int, now: datetime) -> int:
    """Announce again up to `most` runs of a lane that no worker has begun within `SILENCE`, the oldest first."""
    return _announce(WAKE_AGAIN, actor, now, lane=lane, most=most)


def _announce(wake: str, actor: str, now: datetime, **which: str | int) -> int:
    wave = new_wave()
    with transaction():
        woken = run(wake, wave=wave, silent_at=now + SILENCE, now=now, **which)
        if woken:
            run(ANNOUNCE, actor=actor, wave=wave, now=now)
    return woken


def new_wave() -> str:
    """Return a name for runs that are announced together."""
    return uuid4().hex


IN_LINE = f"""
    SELECT id FROM sync_run WHERE organisation_id = {{organisation_id}} AND id <> {{run_id}} AND wake_at <= {{now}}
    AND state IN ({OPEN_STATES}) AND lane = '{Lane.INTERACTIVE}'
    AND (kind = '{RunKind.DISCONNECTION}'
         OR (kind = '{RunKind.VERIFICATION}' AND {{kind}} NOT IN ('{RunKind.ACCOUNTS}', '{RunKind.DISCONNECTION}'))
         OR ({{kind}} NOT IN ('{RunKind.ACCOUNTS}', '{RunKind.VERIFICATION}')
             AND (kind = '{RunKind.ACCOUNTS}' OR {{lane}} <> '{Lane.INTERACTIVE}')))
    ORDER BY CASE kind WHEN '{RunKind.DISCONNECTION}' THEN 0 WHEN '{RunKind.ACCOUNTS}' THEN 1
                       WHEN '{RunKind.VERIFICATION}' THEN 2 ELSE 3 END, id
    LIMIT 1
"""  # noqa: S608 - names of ours


def run_ahead_of(waiting: SyncRun, now: datetime) -> int | None:
    """Return the id of the run that goes before this one and wants the organisation's lease now, if there is one.

    The end of a connection goes first, then an account, then a doubt about our record, then a person's sync.
    """
    told = {"run_id": waiting.id, "kind": str(waiting.kind), "lane": str(waiting.lane)}
    found = read(IN_LINE, organisation_id=waiting.organisation_id, now=now, **told)
    return int(found[0][0]) if found else None


def end_runs_of(connection_id: str, but_for: int, reason: str, code: str, now: datetime) -> None:
    """No run of an ended connection goes on, but the one that ends it."""
    SyncRun.update(state=RunState.FAILED, reason=reason, code=code, finished_at=now).where(
        (SyncRun.connection_id == connection_id) & (SyncRun.id != but_for) & SyncRun.state.in_(OPEN_RUN_STATES)
    ).execute()


def count_posted(run_id: int, rows: int) -> None:
    """The run brought so many more into Xero."""
    run("UPDATE sync_run SET posted = posted + {rows} WHERE id = {run_id}", rows=rows, run_id=run_id)


def count_imported(run_id: int, rows: int) -> None:
    """The run read so many new transactions."""
    run("UPDATE sync_run SET imported = imported + {rows} WHERE id = {run_id}", rows=rows, run_id=run_id)


def counts_of(run_id: int) -> dict[str, int]:
    """What a run did so far, by the names of its columns."""
    ((imported, posted, accounts_created),) = read(
        "SELECT imported, posted, accounts_created FROM sync_run WHERE id = {run_id}", run_id=run_id
    )
    return {"imported": imported, "posted": posted, "accounts_created": accounts_created}


def read_again(connection_id: str = "") -> None:
    """Every open run, of this connection if one is named, reads accounts and transactions anew before it sends."""
    which = SyncRun.state.in_(OPEN_RUN_STATES)
    if connection_id:
        which &= SyncRun.connection_id == connection_id
    SyncRun.update(prepared_at=None).where(which).execute()


def _fresh(now: datetime) -> dict[Any, Any]:
    """What a run that has ended is, opened again: it begins from its beginning, and stays done in time if it was."""
    emptied = (SyncRun.started_at, SyncRun.finished_at, SyncRun.prepared_at, SyncRun.read_from)
    return {
        SyncRun.state: RunState.DUE,
        SyncRun.wake_at: now,
        SyncRun.wave: "",
        SyncRun.starts: 0,
        SyncRun.failures: 0,
        SyncRun.reason: "",
        SyncRun.code: "",
        SyncRun.first_done_at: fn.COALESCE(
            SyncRun.first_done_at, Case(None, [(SyncRun.state == RunState.DONE, SyncRun.finished_at)])
        ),
        **dict.fromkeys(emptied),
    }


def open_again(run_id: int, read_from: datetime | None, now: datetime) -> bool:
    """A run that has ended is due once more and, if told so, reads Qonto from a moment on; whether it had ended."""
    ended = (SyncRun.id == run_id) & SyncRun.state.not_in(OPEN_RUN_STATES)
    return bool(SyncRun.update({**_fresh(now), SyncRun.read_from: read_from}).where(ended).execute() == 1)


def ask_for_run(connection: Connection, kind: RunKind, lane: str, local_date: date, now: datetime) -> SyncRun:
    """Today's run of this kind, opened now; asked for twice, it is the same run, opened again once it has ended."""
    SyncRun.insert(
        organisation_id=connection.organisation_id,
        connection_id=connection.id,
        kind=kind,
        local_date=local_date,
        lane=lane,
        wake_at=now,
        created_at=now,
    ).on_conflict(
        conflict_target=[SyncRun.organisation_id, SyncRun.kind, SyncRun.local_date],
        update={**_fresh(now), SyncRun.connection_id: connection.id},
        where=SyncRun.state.not_in(OPEN_RUN_STATES),
    ).execute()
    return SyncRun.get(
        (SyncRun.organisation_id == connection.organisation_id)
        & (SyncRun.kind == kind)
        & (SyncRun.local_date == local_date)
    )
