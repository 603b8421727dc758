"""A person asks for a sync now, or for a night to be run once more."""

from __future__ import annotations

from datetime import datetime

from domain.calendar import local_date
from models import audit
from models.database import transaction
from models.organisation import Connection, Organisation
from models.states import OPEN_RUN_STATES, RunKind, RunState
from models.sync_run import SyncRun, ask_for_run


def request_sync(connection: Connection, lane: str, who: str, now: datetime) -> SyncRun:
    """Today's manual run, open; the scheduler wakes a worker for it. Asking twice asks for one run."""
    organisation = Organisation.get_by_id(connection.organisation_id)
    with transaction():
        audit.record(who, "sync.request", connection.id, now)
        return ask_for_run(connection, RunKind.MANUAL, lane, local_date(now, organisation.time_zone), now)


def replay_run(run: SyncRun, who: str, now: datetime, reason: str) -> None:
    """Open a run that has ended once more, to be done from its beginning. With nothing missing it writes nothing."""
    with transaction():
        SyncRun.update(
            state=RunState.DUE,
            wake_at=now,
            prepared_at=None,
            started_at=None,
            finished_at=None,
            starts=0,
            failures=0,
            reason="",
        ).where((SyncRun.id == run.id) & SyncRun.state.not_in(OPEN_RUN_STATES)).execute()
        audit.record(who, "run.replay", str(run.id), now, reason)
