"""Secrets at rest: AES-256-GCM, bound to the row and field they belong to, under a ring of keys."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from settings import Secret, SettingsError

NONCE_BYTES = 12  # the size NIST SP 800-38D recommends for GCM


class CannotDecrypt(Exception):
    """A stored secret cannot be read: its key is not in the ring, or it is not this row's. Nothing was changed."""


class Keyring:
    """The first key encrypts, every key decrypts; `context` (row and field) is authenticated with the text."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise SettingsError("QONTO_XERO_ENCRYPTION_KEYS is not set: without a key no secret can be stored or read")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._newest = next(iter(keys))

    def encrypt(self, secret: Secret, context: str) -> str:
        """`key id:hex of nonce and ciphertext`, readable again only with the same context."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, secret.reveal().encode(), context.encode())
        return f"{self._newest}:{(nonce + sealed).hex()}"

    def decrypt(self, stored: str, context: str) -> Secret:
        """The secret that `encrypt` stored. Raises CannotDecrypt, which names the context and never the secret."""
        key_id, _, sealed = stored.partition(":")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise CannotDecrypt(f"{context} was encrypted under key {key_id!r}, which is not in the ring")
        try:
            raw = bytes.fromhex(sealed)
            return Secret(cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode()).decode())
        except (InvalidTag, ValueError) as error:
            raise CannotDecrypt(f"{context} does not decrypt: wrong key, or bytes of another row") from error
