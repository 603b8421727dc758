"""Which consent an access token comes from: what its claims say, and nothing at all of a token that has none."""

from __future__ import annotations

import base64

import pytest

from clients.decoding import encode
from clients.xero.connections import authentication_event
from settings import Secret


def _jwt(claims: object) -> Secret:
    return Secret("head." + base64.urlsafe_b64encode(encode(claims)).rstrip(b"=").decode() + ".signature")


def test_the_event_is_read_from_the_claims() -> None:
    assert authentication_event(_jwt({"authentication_event_id": "d99e", "sub": "ü"})) == "d99e"


@pytest.mark.parametrize(
    "token",
    [_jwt({}), _jwt({"authentication_event_id": None}), _jwt([]), Secret("opaque"), Secret("a.b.c"), Secret("a.é.c")],
)
def test_a_token_that_does_not_say_has_none(token: Secret) -> None:
    assert authentication_event(token) == ""
