"""Which consent an access token comes from: what its claims say, and nothing at all of a token that has none."""

from __future__ import annotations

import base64

import pytest

from clients.decoding import encode
from clients.xero.connections import authentication_event, list_connections, may_reach
from settings import Secret
from tests.unit.fakes import FakeHttp, FakeTokens, answer


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


@pytest.mark.parametrize(
    ("odd", "may_reach_it"),
    [
        ({"id": "c2", "tenantId": "t2", "tenantType": 5}, False),
        ({"id": "c2", "tenantId": "t1", "tenantType": 5}, True),
        ({"id": "c2", "tenantId": None}, True),
        (None, True),
    ],
    ids=["of another", "of this one", "of nobody knows whom", "nothing"],
)
def test_an_organisation_is_not_absent_while_a_connection_that_may_be_its_own_cannot_be_read(
    odd: object, may_reach_it: bool
) -> None:
    good = {"id": "c1", "tenantId": "t3", "tenantType": "ORGANISATION"}

    links = list_connections(FakeHttp(answer(200, [good, odd])), "", FakeTokens())

    assert [link.tenant_id for link in links] == ["t3"]
    assert may_reach(links, "t1") is may_reach_it
    assert may_reach(links, "t3")
