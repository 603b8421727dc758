"""Quarantine: what we could not understand or finish, with its bytes and its reason. Nothing is dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime

from peewee import BigAutoField, BlobField, BooleanField, TextField, fn

from models.database import Table, UtcField

BEGINNING = 64  # bytes, longer than a key's id
MOST_KEPT = 1024 * 1024  # bytes; of more the beginning is kept

Seal = Callable[[bytes, str], bytes]  # encrypts bytes, bound to a context


class Quarantine(Table):
    """`source` says where it came from (a lane, a Qonto list, Qonto's events); `payload` are its exact bytes.

    The same bytes from the same source are kept once; `digest` is the SHA-256 of both. `headers`, JSON, is what came
    beside them. Bytes that may hold an IBAN are encrypted: `is_sealed`. `settled_at`: a person has dealt with it.
    """

    id = BigAutoField()
    source = TextField()
    payload = BlobField()
    digest = TextField(unique=True)
    reason = TextField()
    headers = TextField(default="")
    is_sealed = BooleanField(default=False)
    created_at = UtcField()
    settled_at = UtcField(null=True)


def digest_of(source: str, payload: bytes) -> str:
    """What tells two rows apart: the SHA-256 of a source and its bytes."""
    return hashlib.sha256(source.encode() + b"\0" + payload).hexdigest()


def quarantine(
    source: str,
    payload: bytes,
    reason: str,
    now: datetime,
    *,
    digest: str = "",
    seal: Seal | None = None,
    headers: str = "",
) -> None:
    """Keep bytes where an operator finds them, sealed if asked for, once for each digest: by default that of them."""
    digest = digest or digest_of(source, payload)
    kept = payload[:MOST_KEPT]
    if len(kept) < len(payload):
        reason += f"; the first {MOST_KEPT} bytes are kept"
    row = Quarantine(
        source=source,
        payload=seal(kept, sealing_context(digest)) if seal else kept,
        digest=digest,
        reason=reason,
        headers=headers,
        is_sealed=seal is not None,
        created_at=now,
    )
    Quarantine.insert(**row.__data__).on_conflict(conflict_target=[Quarantine.digest], action="IGNORE").execute()


def sealing_context(digest: str) -> str:
    """Return what sealed bytes are bound to, so that they open in no other row."""
    return f"quarantine:{digest}:payload"


def quarantined(number: int) -> Quarantine | None:
    """The row of this number."""
    found: Quarantine | None = Quarantine.get_or_none(Quarantine.id == number)
    return found


def newest_quarantined(limit: int, *, settled_too: bool = False) -> list[Quarantine]:
    """What waits for a person, newest first; and what was dealt with, if asked for."""
    query = Quarantine.select().order_by(Quarantine.id.desc()).limit(limit)
    return list(query if settled_too else query.where(Quarantine.settled_at.is_null()))


def sealed_after(number: int) -> Quarantine | None:
    """The next row, by its number, whose bytes are encrypted."""
    found: Quarantine | None = (
        Quarantine.select().where(Quarantine.is_sealed & (Quarantine.id > number)).order_by(Quarantine.id).first()
    )
    return found


def newest_sealed() -> Quarantine | None:
    """The last row whose bytes are encrypted."""
    found: Quarantine | None = Quarantine.select().where(Quarantine.is_sealed).order_by(Quarantine.id.desc()).first()
    return found


def sealed_beginnings() -> Iterator[bytes]:
    """The first bytes of whatever is encrypted, which name its key."""
    beginning = fn.SUBSTR(Quarantine.payload, 1, BEGINNING)
    for (found,) in Quarantine.select(beginning).where(Quarantine.is_sealed).tuples().iterator():
        yield bytes(found)


def replace_payload(number: int, anew: bytes) -> None:
    """Put other ciphertext of the same bytes in a row, whose bytes never change."""
    Quarantine.update(payload=anew).where(Quarantine.id == number).execute()


def settle(row: Quarantine, now: datetime) -> bool:
    """A person has dealt with it; whether it was this one who did so first."""
    still_open = (Quarantine.id == row.id) & Quarantine.settled_at.is_null()
    return bool(Quarantine.update(settled_at=now).where(still_open).execute() == 1)
