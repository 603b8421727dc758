"""The audit: what people and the system decided, append only, written with the change itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from peewee import BigAutoField, TextField

from models.database import Table, UtcField


class AuditEntry(Table):
    """`who` did `action` to `subject`, for `reason`. A subject is an id, or `organisation id/id`."""

    id = BigAutoField()
    at = UtcField()
    who = TextField()
    action = TextField()
    subject = TextField(index=True)
    reason = TextField(default="")

    @property
    def kind(self) -> str:
        """What the subject is: the first word of the action."""
        return str(self.action).partition(".")[0]


def record(who: str, action: str, subject: str, now: datetime, reason: str = "") -> None:
    """Append one entry; call it inside the transaction that makes the change."""
    AuditEntry.create(at=now, who=who, action=action, subject=subject, reason=reason)


def reason_of(action: str, subject: str) -> str:
    """The reason that was given when this was last done to it; empty if it never was."""
    found = _last(action, subject)
    return str(found.reason) if found else ""


def who_did(action: str, subject: str) -> str:
    """Who did this to it last; empty if nobody did."""
    found = _last(action, subject)
    return str(found.who) if found else ""


def _last(action: str, subject: str) -> AuditEntry | None:
    ours = (AuditEntry.action == action) & (AuditEntry.subject == subject)
    found: AuditEntry | None = AuditEntry.select().where(ours).order_by(AuditEntry.id.desc()).first()
    return found


def newest_entries(
    limit: int, subjects: Mapping[str, Sequence[str]] | None = None, *, within: str = ""
) -> list[AuditEntry]:
    """The newest first; only of these subjects, by the first word of the action on them, if any are given, and of what
    is `within` this organisation.
    """
    query = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(limit)
    if subjects is not None:
        ours = [
            AuditEntry.action.startswith(f"{kind}.") & AuditEntry.subject.in_(ids) for kind, ids in subjects.items()
        ]
        query = query.where(reduce(or_, ours) | AuditEntry.subject.startswith(f"{within}/"))
    return list(query)
