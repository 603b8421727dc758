"""The audit: what people and the system decided, append only, written with the change itself."""

from __future__ import annotations

from datetime import datetime

from peewee import BigAutoField, TextField

from models.database import Table, UtcField


class AuditEntry(Table):
    """`who` did `action` to `subject` (an id), for `reason`."""

    id = BigAutoField()
    at = UtcField()
    who = TextField()
    action = TextField()
    subject = TextField(index=True)
    reason = TextField(default="")


def record(who: str, action: str, subject: str, now: datetime, reason: str = "") -> None:
    """Append one entry; call it inside the transaction that makes the change."""
    AuditEntry.create(at=now, who=who, action=action, subject=subject, reason=reason)
