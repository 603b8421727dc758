"""Refreshing a token: how it is asked for, and what each refusal means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from clients.errors import Permanent, RateLimited, Reconnect, RemoteError, Temporary, Unreadable
from clients.oauth import OAuthApp, TokenSet, authorise_url, exchange, refresh
from settings import Secret
from tests.unit.fakes import NOW, FakeHttp, answer

XERO = OAuthApp(
    name="Xero",
    authorise_url="https://login.example/authorize",
    token_url="https://identity.example/token",
    revoke_url="https://identity.example/revoke",
    client_id="client:1",
    client_secret=Secret("hunter2"),
    client_in_body=False,
    scope="offline_access books",
    redirect_uri="https://page.example/xero/callback",
)
QONTO = replace(XERO, name="Qonto", token_url="https://oauth.example/token", client_in_body=True)
TOKENS = {"access_token": "new access", "refresh_token": "new refresh", "expires_in": 1800, "token_type": "Bearer"}


def test_a_new_token_set_expires_as_counted_from_before_it_was_asked_for() -> None:
    moments = iter([NOW, NOW + timedelta(seconds=40)])

    tokens = refresh(FakeHttp(answer(200, TOKENS)), XERO, Secret("old"), lambda: next(moments))

    assert tokens == TokenSet(Secret("new access"), Secret("new refresh"), NOW + timedelta(minutes=30))


def test_xero_wants_the_client_in_the_header_and_qonto_in_the_body() -> None:
    http = FakeHttp(answer(200, TOKENS), answer(200, TOKENS))

    refresh(http, XERO, Secret("old & good"), lambda: NOW)
    refresh(http, QONTO, Secret("old & good"), lambda: NOW)

    to_xero, to_qonto = http.sent
    form = {"grant_type": ["refresh_token"], "refresh_token": ["old & good"]}
    assert (to_xero.method, to_xero.url) == ("POST", "https://identity.example/token")
    assert to_xero.headers["Authorization"] == "Basic Y2xpZW50OjE6aHVudGVyMg=="
    assert parse_qs((to_xero.body or b"").decode()) == form
    assert "Authorization" not in to_qonto.headers
    assert parse_qs((to_qonto.body or b"").decode()) == form | {"client_id": ["client:1"], "client_secret": ["hunter2"]}
    assert {sent.headers["Content-Type"] for sent in http.sent} == {"application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (400, {"error": "invalid_grant"}, Reconnect),
        (401, {"error": "invalid_grant", "error_description": "hunter2"}, Reconnect),
        (400, {"error": "invalid_client"}, Permanent),
        (401, {"error": "unauthorized_client"}, Permanent),
        (400, {}, Permanent),
        (404, b"<html>", Permanent),
        (429, {"error": "invalid_grant"}, RateLimited),
        (500, {}, Temporary),
        (503, b"The Xero API is temporarily unavailable", Temporary),
        (200, b"<html>", Temporary),
        (200, {"access_token": "a", "expires_in": 1800}, Unreadable),
        (200, {"error": "invalid_grant"}, Unreadable),
    ],
)
def test_each_refusal_is_one_of_four_words_and_shows_no_secret(
    status: int, body: object, word: type[RemoteError]
) -> None:
    with pytest.raises(RemoteError) as refusal:
        refresh(FakeHttp(answer(status, body)), XERO, Secret("old"), lambda: NOW)

    assert type(refusal.value) is word
    assert refusal.value.call == "token refresh at Xero"
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, 30), ({"retry_after": "7"}, 7), ({"retry_after": "0"}, 30), ({"retry_after": "9" * 20}, 86_400)],
)
def test_a_limit_says_until_when_to_wait(headers: dict[str, str], seconds: int) -> None:
    with pytest.raises(RateLimited) as refusal:
        refresh(FakeHttp(answer(429, **headers)), XERO, Secret("old"), lambda: NOW)

    assert refusal.value.until == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("1800", 30),
        (3600, 60),
        (90.5, 90.5 / 60),
        (10**30, 1440),
        (None, 30),
        (-5, 30),
        (0, 30),
        ("soon", 30),
        ([], 30),
    ],
)
def test_a_lifetime_that_cannot_be_read_loses_no_token(written: object, minutes: float) -> None:
    tokens = refresh(FakeHttp(answer(200, TOKENS | {"expires_in": written})), XERO, Secret("old"), lambda: NOW)

    assert tokens.refresh_token == Secret("new refresh")
    assert tokens.expires_at == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize("written", [None, "", 5, "a\r\nb", "x" * 30_000])
def test_a_token_that_fits_no_header_is_none(written: object) -> None:
    with pytest.raises(Unreadable):
        refresh(FakeHttp(answer(200, TOKENS | {"access_token": written})), XERO, Secret("old"), lambda: NOW)


def test_a_browser_is_sent_with_the_state_and_the_challenge_of_the_verifier_but_not_with_the_verifier() -> None:
    url = authorise_url(XERO, Secret("one-time state"), Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))

    assert url.startswith("https://login.example/authorize?")
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "response_type": "code",
        "client_id": "client:1",
        "redirect_uri": "https://page.example/xero/callback",
        "scope": "offline_access books",
        "state": "one-time state",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636, appendix B
        "code_challenge_method": "S256",
    }


def test_a_code_is_exchanged_with_its_verifier_and_the_same_address() -> None:
    http = FakeHttp(answer(200, TOKENS))

    tokens = exchange(http, XERO, Secret("code"), Secret("verifier"), lambda: NOW)

    [sent] = http.sent
    assert parse_qs((sent.body or b"").decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["code"],
        "redirect_uri": ["https://page.example/xero/callback"],
        "code_verifier": ["verifier"],
    }
    assert tokens == TokenSet(Secret("new access"), Secret("new refresh"), NOW + timedelta(minutes=30))


def test_a_dead_code_is_told_apart_from_a_lost_answer() -> None:
    http = FakeHttp(answer(400, {"error": "invalid_grant"}), answer(200, {"access_token": "half"}))

    with pytest.raises(Reconnect):
        exchange(http, XERO, Secret("code"), Secret("verifier"), lambda: NOW)
    with pytest.raises(Temporary):
        exchange(http, XERO, Secret("code"), Secret("verifier"), lambda: NOW)
