"""Pauses: a Xero organisation, or Qonto, asked us to wait, and that must survive a restart."""

from __future__ import annotations

from datetime import datetime

from peewee import TextField

from models.database import Table, UtcField


class Pause(Table):
    """No request to this Xero organisation, or to Qonto under its scope as `tenant_id`, before `not_before`."""

    tenant_id = TextField(primary_key=True)
    not_before = UtcField()
    reason = TextField()


def pause_tenant(tenant_id: str, not_before: datetime, reason: str) -> None:
    """Ask everyone to wait; a longer pause is never shortened."""
    Pause.insert(tenant_id=tenant_id, not_before=not_before, reason=reason).on_conflict(
        conflict_target=[Pause.tenant_id],
        update={Pause.not_before: not_before, Pause.reason: reason},
        where=(Pause.not_before < not_before),
    ).execute()


def paused_until(tenant_id: str, now: datetime) -> datetime | None:
    """Until when to wait, if at all."""
    pause = Pause.get_or_none((Pause.tenant_id == tenant_id) & (Pause.not_before > now))
    return pause.not_before if pause else None
