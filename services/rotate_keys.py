"""Encrypt everything that is stored under another key anew under the newest, so that an old key can be thrown away."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from models import audit
from models.credential import SEALED, Credential, credentials_after, replace_sealed
from models.database import transaction
from models.encryption import CannotDecrypt, Keyring, key_of
from models.quarantine import Quarantine, replace_payload, sealed_after, sealed_beginnings, sealing_context
from services.access_tokens import context_of

log = logging.getLogger(__name__)

TOGETHER = 100  # rows a transaction


def sealed_under() -> Counter[str]:
    """How many secrets each key encrypts, by the key's id."""
    found: Counter[str] = Counter()
    for row in Credential.select().iterator():
        found.update(key_of(getattr(row, field).encode()) for field in SEALED if getattr(row, field))
    found.update(key_of(beginning) for beginning in sealed_beginnings())
    return found


def rotate_keys(keyring: Keyring, who: str, reason: str, now: datetime) -> Iterator[int]:
    """Go through all secrets; after each step, how many it looked at. Ended anywhere, it may be begun again.

    A secret that changes meanwhile is left to whoever changed it. What cannot be decrypted is logged and stays.
    """
    audit.record(who, "keys.rotate", keyring.newest, now, reason)
    yield from _rotate_credentials(keyring)
    yield from _rotate_quarantine(keyring)


def _rotate_credentials(keyring: Keyring) -> Iterator[int]:
    last = ""
    while rows := credentials_after(last, TOGETHER):
        last = rows[-1].id
        with transaction():
            for row in rows:
                for field in SEALED:
                    _rotate_field(keyring, row, field)
        yield sum(bool(getattr(row, field)) for row in rows for field in SEALED)


def _rotate_field(keyring: Keyring, row: Credential, field: str) -> None:
    stored, context = getattr(row, field), context_of(row.id, field)
    if not stored or key_of(stored.encode()) == keyring.newest:
        return
    try:
        replace_sealed(row.id, field, stored, keyring.encrypt(keyring.decrypt(stored, context), context))
    except CannotDecrypt as error:
        log.warning("not rotated: %s", error)


def _rotate_quarantine(keyring: Keyring) -> Iterator[int]:
    last = 0
    while row := sealed_after(last):
        last = row.id
        _rotate_payload(keyring, row)
        yield 1


def _rotate_payload(keyring: Keyring, row: Quarantine) -> None:
    stored, context = bytes(row.payload), sealing_context(row.digest)
    if key_of(stored) == keyring.newest:
        return
    try:
        replace_payload(row.id, keyring.seal(keyring.unseal(stored, context), context))
    except CannotDecrypt as error:
        log.warning("not rotated: %s", error)
