"""Tell Qonto's core what happened to a connection, so that it can tell the customer."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from domain.core_event import Told, Whose, core_event
from models.organisation import Connection
from models.outbox import tell


def tell_core(told: Told, connection: Connection, now: datetime, **data: Any) -> None:
    """Write an event, published once the surrounding transaction commits. Its id is made here, once.

    `data` names nobody and quotes nobody: ids, counts, dates, reasons and their sentences.
    """
    whose = Whose(connection.id, connection.organisation_id, connection.tenant_id)
    body = core_event(told, str(uuid4()), whose, now, data)
    tell(told, body, now)
