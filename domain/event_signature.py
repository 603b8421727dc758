"""Who signed an event: HMAC-SHA256 over its exact bytes, under a key that the sender names."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping


def signature(body: bytes, key: bytes) -> str:
    """64 lower-case hexadecimal digits."""
    return hmac.new(key, body, hashlib.sha256).hexdigest()


def why_not_trusted(body: bytes, key_id: str, given: str, keys: Mapping[str, bytes]) -> str | None:
    """Why these bytes may be somebody else's; `None` means that whoever holds the named key wrote them."""
    if not given or not key_id:
        return "not signed"
    key = keys.get(key_id)
    if key is None:
        return "signed under a key that we do not know"
    if not hmac.compare_digest(signature(body, key).encode(), given.encode()):
        return "its signature is not that of its bytes"
    return None
