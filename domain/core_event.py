"""What Qonto's core is told, as a CloudEvent 1.0 (docs/events is the contract). It names nobody and quotes nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

SOURCE = "/qonto/xero-sync"


class Told(StrEnum):
    """An event's type, which is its routing key too."""

    CREATED = "connection.created"  # an organisation is connected, for the first time or again
    BROKEN = "connection.broken"  # Xero or Qonto no longer lets us in: a person must connect again
    DISCONNECTED = "connection.disconnected"  # a person ended it
    COMPLETED = "sync.completed"  # a night is done
    PROBLEM = "sync.problem"  # a night failed, or left something that a person should know of


@dataclass(frozen=True)
class Whose:
    """The connection that an event tells of, by three ids: ours, Qonto's of the organisation, Xero's of the tenant."""

    connection_id: str
    organisation_id: str
    tenant_id: str


def core_event(told: Told, event_id: str, whose: Whose, now: datetime, data: Mapping[str, Any]) -> str:
    """The whole event as JSON; moments in `data` are written as RFC 3339, in UTC."""
    ids = {
        "organization_id": whose.organisation_id,
        "connection_id": whose.connection_id,
        "xero_tenant_id": whose.tenant_id,
    }
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE,
        "type": told,
        "time": now,
        "subject": whose.connection_id,
        "datacontenttype": "application/json",
        "data": {**ids, **data},
    }
    return json.dumps(event, default=_written)


def _written(value: date) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat()
