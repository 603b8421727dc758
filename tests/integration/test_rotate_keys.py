"""Keys are rotated: every secret under the newest one, wherever it was stopped, and whatever changes meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from models.audit import AuditEntry
from models.credential import Credential, replace_sealed
from models.encryption import Keyring
from models.quarantine import Quarantine, sealing_context
from services.access_tokens import access_context, secret_context
from services.rotate_keys import rotate_keys, sealed_under
from settings import Secret
from tests.factories import make_credential
from tests.unit.fakes import NOW

pytestmark = pytest.mark.integration

OLD, NEW = {"old": bytes(32)}, {"new": b"n" * 32}
BOTH = Keyring(NEW | OLD)
MANY = 250  # more than two transactions' worth


def stored(number: int, keyring: Keyring = Keyring(OLD)) -> str:  # noqa: B008 - it never changes
    """A credential with two secrets."""
    key = f"credential-{number:04}"
    make_credential(
        id=key,
        secret=keyring.encrypt(Secret(f"refresh {number}"), secret_context(key)),
        access_token=keyring.encrypt(Secret(f"access {number}"), access_context(key)),
    )
    return key


def quarantined(body: bytes, keyring: Keyring) -> int:
    digest = body.hex()
    sealed = keyring.seal(body, sealing_context(digest))
    row: Any = Quarantine.create(
        source="events", payload=sealed, digest=digest, reason="", is_sealed=True, created_at=NOW
    )
    return int(row.id)


def rotate(steps: int | None = None) -> None:
    """Rotate, or be killed after so many steps."""
    for step, _ in enumerate(rotate_keys(BOTH, "ada", "every year", NOW), start=1):
        if step == steps:
            return


def read(key: str, keyring: Keyring) -> tuple[str, str]:
    row = Credential.get_by_id(key)
    secret = keyring.decrypt(row.secret, secret_context(key)).reveal()
    return secret, keyring.decrypt(row.access_token, access_context(key)).reveal()


@pytest.mark.usefixtures("database")
def test_what_was_stopped_half_way_is_begun_again_and_then_the_old_key_is_not_needed() -> None:
    keys = [stored(number) for number in range(MANY)]
    number = quarantined(b"an event with an IBAN", Keyring(OLD))

    rotate(steps=1)
    assert sealed_under() == {"new": 200, "old": 2 * MANY - 200 + 1}
    rotate()

    assert sealed_under() == {"new": 2 * MANY + 1}
    assert [read(key, Keyring(NEW)) for key in keys] == [(f"refresh {n}", f"access {n}") for n in range(MANY)]
    row = Quarantine.get_by_id(number)
    kept = Keyring(NEW).unseal(bytes(row.payload), sealing_context(row.digest))
    assert kept == b"an event with an IBAN"
    told = [(entry.who, entry.action, entry.subject, entry.reason) for entry in AuditEntry.select()]
    assert told == [("ada", "keys.rotate", "new", "every year")] * 2


@pytest.mark.usefixtures("database")
def test_what_is_refreshed_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    key = stored(1)

    def refreshed(credential_id: str, field: str, before: str, anew: str) -> None:
        if field == "secret":
            fresh = BOTH.encrypt(Secret("refreshed"), secret_context(key))
            Credential.update(secret=fresh).where(Credential.id == key).execute()
        replace_sealed(credential_id, field, before, anew)

    monkeypatch.setattr("services.rotate_keys.replace_sealed", refreshed)
    rotate()

    assert read(key, Keyring(NEW)) == ("refreshed", "access 1")


@pytest.mark.usefixtures("database")
def test_what_cannot_be_decrypted_stays_and_is_said_and_stops_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    lost, fine = stored(1, Keyring({"lost": b"l" * 32})), stored(2)
    untouched = Credential.get_by_id(lost).secret

    rotate()

    assert Credential.get_by_id(lost).secret == untouched
    assert read(fine, Keyring(NEW)) == ("refresh 2", "access 2")
    assert sealed_under() == {"lost": 2, "new": 2}
    assert f"credential:{lost}:secret" in caplog.text
    assert "refresh" not in caplog.text


@pytest.mark.usefixtures("database")
def test_an_erased_secret_stays_erased() -> None:
    make_credential(id="gone", secret="", access_token="")

    rotate()

    assert (Credential.get_by_id("gone").secret, sealed_under().total()) == ("", 0)
