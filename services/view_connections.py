"""Connections and runs as a person wants to see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.access import final_at
from domain.what_next import RunStanding, what_next
from models.access_refusal import refusals_of
from models.heartbeat import SCHEDULER, is_silent, last_beat
from models.organisation import Connection, Organisation
from models.posting import Posting, count_by_state
from models.states import OPEN_RUN_STATES, ConnectionState
from models.sync_run import SyncRun

MOST_RUNS = 1_000


@dataclass(frozen=True)
class ConnectionView:
    """`last_sync` is when a run last ended well; `postings` counts by state and, where there is one, its reason.

    `reason` is why it is no longer live; of a live one, who refuses us for now, and until when we go on trying.
    """

    organisation: str
    name: str
    connection_id: str
    tenant_id: str
    tenant_name: str
    state: str
    reason: str
    time_zone: str
    starts_at: datetime
    last_sync: datetime | None
    postings: dict[str, int]


def view_connections() -> list[ConnectionView]:
    """Every connection, ended ones too, oldest first."""
    return [view_connection(connection) for connection in Connection.select().order_by(Connection.created_at)]


def view_connection(connection: Connection) -> ConnectionView:
    organisation = Organisation.get_by_id(connection.organisation_id)
    last = (
        SyncRun.select()
        .where((SyncRun.connection_id == connection.id) & (SyncRun.state == "done"))
        .order_by(SyncRun.finished_at.desc())
        .first()
    )
    counts = count_by_state(Posting.connection_id == connection.id)
    return ConnectionView(
        organisation=organisation.slug,
        name=connection.name,
        connection_id=connection.id,
        tenant_id=connection.tenant_id,
        tenant_name=connection.tenant_name,
        state=connection.state,
        reason=connection.reason or "; ".join(_refusals(connection)),
        time_zone=organisation.time_zone,
        starts_at=connection.starts_at,
        last_sync=last.finished_at if last else None,
        postings={f"{state}: {reason}" if reason else state: count for (state, reason), count in counts.items()},
    )


def _refusals(connection: Connection) -> Iterator[str]:
    if connection.state != ConnectionState.LIVE:
        return
    for refusal in refusals_of(connection.id):
        times = "once" if refusal.refusals == 1 else f"{refusal.refusals} times"
        said = f"{refusal.problem} (refused {times} since {_minute(refusal.refused_since)}"
        if refusal.held_until:
            yield f"{said}; many connections would end now, so the fleet brake holds this one)"
        else:
            yield f"{said}; we keep trying, until {_minute(final_at(refusal.refused_since))} at least)"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def view_runs(connection: Connection | None, limit: int, now: datetime) -> list[dict[str, Any]]:
    """The newest runs first, of one connection's organisation or of all."""
    runs = SyncRun.select().order_by(SyncRun.local_date.desc(), SyncRun.id.desc()).limit(min(limit, MOST_RUNS))
    if connection:
        runs = runs.where(SyncRun.organisation_id == connection.organisation_id)
    return _viewed(list(runs), now)


def view_run(number: int, now: datetime) -> dict[str, Any]:
    """One run, by its number."""
    return _viewed([SyncRun.get_by_id(number)], now)[0]


def _viewed(newest: Sequence[SyncRun], now: datetime) -> list[dict[str, Any]]:
    is_scheduled = not is_silent(last_beat(SCHEDULER), now)
    of_runs = Organisation.id.in_({run.organisation_id for run in newest} or {""})
    slugs = {organisation.id: organisation.slug for organisation in Organisation.select().where(of_runs)}
    return [
        {
            "run": run.id,
            "organisation": slugs[run.organisation_id],
            "kind": run.kind,
            "local_date": run.local_date,
            "state": run.state,
            "reason": run.reason,
            "imported": run.imported,
            "posted": run.posted,
            "accounts_created": run.accounts_created,
            "turns": run.turns,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
            "wake_at": run.wake_at if run.state in OPEN_RUN_STATES else None,
            "next": what_next(RunStanding(run.state, run.code, run.wake_at), now, is_scheduled=is_scheduled),
        }
        for run in newest
    ]
