"""Secrets at rest: readable only in their own row and field, under a ring of keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.encryption import CannotDecrypt, Keyring
from settings import Secret, SettingsError

OLD, NEW = bytes(32), bytes(range(32))
CONTEXT = "credential:1:secret"
TOKEN = Secret("a refresh token")


@pytest.fixture
def keyring() -> Keyring:
    return Keyring({"new": NEW, "old": OLD})


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_encrypted_is_read_again_in_its_own_context(text: str, context: str) -> None:
    keyring = Keyring({"new": NEW})

    assert keyring.decrypt(keyring.encrypt(Secret(text), context), context) == Secret(text)


def test_what_is_stored_shows_nothing_and_never_twice_the_same(keyring: Keyring) -> None:
    stored = [keyring.encrypt(TOKEN, CONTEXT) for _ in range(100)]

    assert len(set(stored)) == 100
    assert not [text for text in stored if TOKEN.reveal() in text or TOKEN.reveal().encode().hex() in text]


def test_a_secret_moved_into_another_row_or_field_does_not_open(keyring: Keyring) -> None:
    stored = keyring.encrypt(TOKEN, "credential:1:secret")

    for elsewhere in ("credential:2:secret", "credential:1:access_token", ""):
        with pytest.raises(CannotDecrypt):
            keyring.decrypt(stored, elsewhere)


def test_a_changed_byte_anywhere_is_noticed(keyring: Keyring) -> None:
    key_id, _, sealed = keyring.encrypt(TOKEN, CONTEXT).partition(":")
    raw = bytes.fromhex(sealed)

    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(CannotDecrypt, match=CONTEXT):
            keyring.decrypt(f"{key_id}:{changed.hex()}", CONTEXT)


def test_the_first_key_encrypts_and_every_key_decrypts(keyring: Keyring) -> None:
    before = Keyring({"old": OLD}).encrypt(TOKEN, CONTEXT)
    after = keyring.encrypt(TOKEN, CONTEXT)

    assert keyring.decrypt(before, CONTEXT) == TOKEN
    assert Keyring({"new": NEW}).decrypt(after, CONTEXT) == TOKEN


def test_a_key_that_left_the_ring_too_early_is_named(keyring: Keyring) -> None:
    stored = keyring.encrypt(TOKEN, CONTEXT)

    with pytest.raises(CannotDecrypt, match=r"credential:1:secret .* 'new'"):
        Keyring({"old": OLD}).decrypt(stored, CONTEXT)


def test_the_same_key_id_with_another_key_opens_nothing(keyring: Keyring) -> None:
    stored = keyring.encrypt(TOKEN, CONTEXT)

    with pytest.raises(CannotDecrypt):
        Keyring({"new": OLD}).decrypt(stored, CONTEXT)


@pytest.mark.parametrize("sealed", ["", "zz", "00", "00" * 12, "00" * 27])
def test_a_damaged_row_does_not_open_and_is_named(keyring: Keyring, sealed: str) -> None:
    with pytest.raises(CannotDecrypt, match=CONTEXT):
        keyring.decrypt(f"new:{sealed}", CONTEXT)


def test_without_a_key_there_is_no_ring() -> None:
    with pytest.raises(SettingsError, match="QONTO_XERO_ENCRYPTION_KEYS"):
        Keyring({})
