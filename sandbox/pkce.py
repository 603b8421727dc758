"""Proof Key for Code Exchange (RFC 7636), S256 only."""

import base64
import hashlib
import re

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def is_challenge(text: str) -> bool:
    """Whether this can be the base64url of a SHA-256, without padding."""
    return _CHALLENGE.fullmatch(text) is not None


def proves(verifier: str | None, challenge: str | None) -> bool:
    """Whether a verifier answers a challenge; without a challenge there must be none (RFC 9700, 4.8.2)."""
    if challenge is None or verifier is None:
        return challenge is verifier
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    return _VERIFIER.fullmatch(verifier) is not None and digest.rstrip(b"=").decode() == challenge
