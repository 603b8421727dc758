"""An event of Qonto's core becomes work: its organisation's accounts run, opened."""

from __future__ import annotations

from datetime import datetime

from domain.calendar import local_date
from domain.reasons import Followed
from models.database import transaction
from models.inbox import InboxEvent, settle_event
from models.organisation import Connection, Organisation, live_connection
from models.statements import load
from models.states import Lane, RunKind
from models.sync_run import SyncRun, ask_for_run


def take_up_event(event_id: int, now: datetime) -> int | None:
    """The run that follows this event, and whatever else came for its organisation; `None` when it is handled.

    Safe to say often: there is one such run an organisation and day, and it is open until every event is handled.
    """
    with transaction():
        event = load(InboxEvent, event_id)
        if event.handled_at:
            return None
        connection = live_connection(event.organisation_id)
        if connection is None:
            settle_event(event.id, Followed.NOT_CONNECTED, now)
            return None
        return int(ask_for_accounts(connection, now).id)


def ask_for_accounts(connection: Connection, now: datetime) -> SyncRun:
    """The connection's accounts run, open. Call it inside the transaction of what asks for it."""
    organisation = load(Organisation, connection.organisation_id)
    day = local_date(now, organisation.time_zone)
    return ask_for_run(connection, RunKind.ACCOUNTS, Lane.INTERACTIVE, day, now)
