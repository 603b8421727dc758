"""Set the clock by which an organisation has its nights and its transactions have their dates."""

from __future__ import annotations

from datetime import datetime

from domain.time_zones import time_zone
from models import audit
from models.database import transaction
from models.organisation import Connection, Organisation


def set_time_zone(connection: Connection, name: str, who: str, why: str, now: datetime) -> None:
    """Store another time zone, with an audit entry. What has its date already keeps it. Raises UnknownTimeZone."""
    time_zone(name)
    with transaction():
        Organisation.update(time_zone=name).where(Organisation.id == connection.organisation_id).execute()
        audit.record(who, "organisation.time_zone", connection.id, now, f"{name}: {why}")
