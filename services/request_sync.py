"""A person asks for a sync now."""

from __future__ import annotations

from datetime import datetime

from domain.calendar import local_date
from models import audit
from models.database import transaction
from models.organisation import Connection, Organisation
from models.states import RunKind
from models.sync_run import SyncRun, ask_for_run


def request_sync(connection: Connection, lane: str, who: str, now: datetime) -> SyncRun:
    """Today's manual run, open; the scheduler wakes a worker for it. Asking twice asks for one run."""
    organisation = Organisation.get_by_id(connection.organisation_id)
    with transaction():
        audit.record(who, "sync.request", connection.id, now)
        return ask_for_run(connection, RunKind.MANUAL, lane, local_date(now, organisation.time_zone), now)
