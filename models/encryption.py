"""Secrets at rest: AES-256-GCM, bound to the row and field they belong to, under a ring of keys."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from settings import Secret, SettingsError

MOST_SHOWN = 40  # characters of a key's id: in bytes that were damaged it may be all of them
NONCE_BYTES = 12  # the size NIST SP 800-38D recommends for GCM


class CannotDecrypt(Exception):
    """A stored secret cannot be read: its key is not in the ring, or it is not this row's. Nothing was changed."""


def key_of(sealed: bytes) -> str:
    """The id of the key that encrypted this; of damaged bytes, whatever stands in its place."""
    return sealed.partition(b":")[0].decode(errors="replace")[:MOST_SHOWN]


class Keyring:
    """The first key encrypts, every key decrypts; `context` (row and field) is authenticated with the text.

    `ids` are those of its keys, and `newest` is the first of them.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise SettingsError("QONTO_XERO_ENCRYPTION_KEYS is not set: without a key no secret can be stored or read")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.ids = (*keys,)
        self.newest = self.ids[0]

    def encrypt(self, secret: Secret, context: str) -> str:
        """`key id:hex of nonce and ciphertext`, readable again only with the same context."""
        key_id, _, sealed = self.seal(secret.reveal().encode(), context).partition(b":")
        return f"{key_id.decode()}:{sealed.hex()}"

    def decrypt(self, stored: str, context: str) -> Secret:
        """The secret that `encrypt` stored. Raises CannotDecrypt, which names the context and never the secret."""
        key_id, _, sealed = stored.partition(":")
        try:
            return Secret(self.unseal(f"{key_id}:".encode() + bytes.fromhex(sealed), context).decode())
        except ValueError as error:
            raise CannotDecrypt(f"{context} does not decrypt: wrong key, or bytes of another row") from error

    def seal(self, clear: bytes, context: str) -> bytes:
        """Key id, colon, nonce and ciphertext; the same for bytes of any kind."""
        nonce = os.urandom(NONCE_BYTES)
        return f"{self.newest}:".encode() + nonce + self._ciphers[self.newest].encrypt(nonce, clear, context.encode())

    def unseal(self, sealed: bytes, context: str) -> bytes:
        """The bytes that `seal` was given. Raises CannotDecrypt, which names the context and never the bytes."""
        _, _, raw = sealed.partition(b":")
        key_id = key_of(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise CannotDecrypt(f"{context} was encrypted under key {key_id!r}, which is not in the ring")
        try:
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotDecrypt(f"{context} does not decrypt: wrong key, or bytes of another row") from error
