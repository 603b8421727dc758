"""Quarantine: what we could not understand or finish, with its bytes and its reason. Nothing is dropped."""

from __future__ import annotations

from datetime import datetime

from peewee import BigAutoField, BlobField, TextField

from models.database import Table, UtcField


class Quarantine(Table):
    """`source` says where it came from (a lane, a Qonto list); `payload` are its exact bytes."""

    id = BigAutoField()
    source = TextField()
    payload = BlobField()
    reason = TextField()
    created_at = UtcField()
    settled_at = UtcField(null=True)


def quarantine(source: str, payload: bytes, reason: str, now: datetime) -> None:
    """Put it where a person can find it."""
    Quarantine.create(source=source, payload=payload, reason=reason, created_at=now)
