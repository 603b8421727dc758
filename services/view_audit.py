"""The audit as a person wants to see it: who decided what, about which organisation, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.audit import AuditEntry, newest_entries
from models.inbox import InboxEvent
from models.organisation import Connection, Organisation
from models.sync_run import SyncRun

# What an action may be on, by its first word, that an organisation owns.
OWNED: dict[str, Any] = {"connection": Connection, "sync": Connection, "run": SyncRun, "event": InboxEvent}


@dataclass(frozen=True)
class AuditView:
    """`subject` is an id of what the action's first word names; `organisation` a slug, empty for what is nobody's."""

    at: datetime
    who: str
    action: str
    organisation: str
    subject: str
    reason: str


def view_audit(organisation: Organisation | None, limit: int) -> list[AuditView]:
    """The newest entries first, of one organisation or of all."""
    mine = _subjects_of(organisation.id) if organisation else None
    entries = newest_entries(limit, mine, within=organisation.id if organisation else "")
    owners = _owners(entries)
    of_entries = Organisation.id.in_(set(owners.values()) or {""})
    slugs = {one.id: one.slug for one in Organisation.select().where(of_entries)}
    return [
        AuditView(
            at=entry.at,
            who=entry.who,
            action=entry.action,
            organisation=slugs.get(owners.get((entry.kind, entry.subject), ""), ""),
            subject=entry.subject,
            reason=entry.reason,
        )
        for entry in entries
    ]


def _subjects_of(organisation_id: str) -> dict[str, list[str]]:
    """The ids of what is an organisation's, by the first word of actions on it."""
    owned = {
        kind: [str(row.id) for row in table.select(table.id).where(table.organisation_id == organisation_id)]
        for kind, table in OWNED.items()
    }
    return owned | {"organisation": [organisation_id]}


def _owners(entries: Iterable[AuditEntry]) -> dict[tuple[str, str], str]:
    """The organisation's id of each (kind, subject) that has one."""
    subjects: dict[str, set[str]] = {}
    for entry in entries:
        subjects.setdefault(entry.kind, set()).add(entry.subject)
    found = {("organisation", one): one for one in subjects.get("organisation", ())}
    found |= {(entry.kind, entry.subject): entry.subject.partition("/")[0] for entry in entries if "/" in entry.subject}
    for kind, table in OWNED.items():
        ids = subjects.get(kind, set())
        rows = table.select(table.id, table.organisation_id).where(table.id.in_(ids or {"0"}))
        found |= {(kind, str(row.id)): row.organisation_id for row in rows}
    return found
