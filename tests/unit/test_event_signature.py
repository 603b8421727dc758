"""Who signed an event: nobody is believed who does not hold a key that we know."""

from __future__ import annotations

import pytest

from domain.event_signature import signature, why_not_trusted

BODY = b'{"specversion":"1.0","id":"1"}'
OLD, NEW = b"o" * 32, b"n" * 32
KEYS = {"2026-05": OLD, "2026-11": NEW}


def test_a_signature_is_the_hmac_of_rfc_4231() -> None:
    given = signature(b"what do ya want for nothing?", b"Jefe")

    assert given == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@pytest.mark.parametrize(("key_id", "key"), KEYS.items())
def test_each_key_that_we_know_is_believed(key_id: str, key: bytes) -> None:
    assert why_not_trusted(BODY, key_id, signature(BODY, key), KEYS) is None


@pytest.mark.parametrize(
    ("key_id", "given", "reason"),
    [
        ("2026-11", "", "not signed"),
        ("", signature(BODY, NEW), "not signed"),
        ("2027-05", signature(BODY, NEW), "signed under a key that we do not know"),
        ("2026-11 ", signature(BODY, NEW), "signed under a key that we do not know"),
        ("2026-11", signature(BODY, OLD), "its signature is not that of its bytes"),
        ("2026-11", signature(BODY, NEW).upper(), "its signature is not that of its bytes"),
        ("2026-11", signature(BODY, NEW)[:-1], "its signature is not that of its bytes"),
        ("2026-11", f"{signature(BODY, NEW)}\n", "its signature is not that of its bytes"),
        ("2026-11", "é" * 64, "its signature is not that of its bytes"),
    ],
    ids=["no signature", "no key", "unknown key", "space", "another key", "capitals", "short", "long", "not ascii"],
)
def test_whoever_signs_otherwise_is_not(key_id: str, given: str, reason: str) -> None:
    assert why_not_trusted(BODY, key_id, given, KEYS) == reason


@pytest.mark.parametrize("place", range(len(BODY)))
def test_no_byte_may_change(place: int) -> None:
    changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]

    assert why_not_trusted(changed, "2026-11", signature(BODY, NEW), KEYS) == "its signature is not that of its bytes"


def test_without_any_key_nothing_is_believed() -> None:
    assert why_not_trusted(BODY, "2026-11", signature(BODY, b""), {}) == "signed under a key that we do not know"
