"""Quarantine: what we could not understand or finish, with its bytes and its reason. Nothing is dropped."""

from __future__ import annotations

import hashlib
from datetime import datetime

from peewee import BigAutoField, BlobField, TextField

from models.database import Table, UtcField


class Quarantine(Table):
    """`source` says where it came from (a lane, a Qonto list); `payload` are its exact bytes.

    The same bytes from the same source are kept once; `digest` is the SHA-256 of both.
    """

    id = BigAutoField()
    source = TextField()
    payload = BlobField()
    digest = TextField(unique=True)
    reason = TextField()
    created_at = UtcField()
    settled_at = UtcField(null=True)


def quarantine(source: str, payload: bytes, reason: str, now: datetime) -> None:
    """Put it where a person can find it; again does no harm."""
    digest = hashlib.sha256(source.encode() + b"\0" + payload).hexdigest()
    Quarantine.insert(source=source, payload=payload, digest=digest, reason=reason, created_at=now).on_conflict(
        conflict_target=[Quarantine.digest], action="IGNORE"
    ).execute()
