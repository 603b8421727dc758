"""A refresh token is used by one process at a time: the others wait for what it gets."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from clients.errors import RemoteError
from clients.http import Answer
from clients.oauth import OAuthApp
from models.credential import Credential, claim_refresh, store_refreshed
from models.encryption import Keyring
from services.access_tokens import StoredTokens, access_context, secret_context
from settings import Secret
from tests.counted import counted
from tests.factories import NOW, make_credential
from tests.unit.fakes import FakeHttp

APP = OAuthApp(
    name="Xero",
    authorise_url="https://login.example/authorize",
    token_url="https://identity.example/token",
    revoke_url="https://identity.example/revoke",
    client_id="client",
    client_secret=Secret("secret"),
    client_in_body=False,
    scope="offline_access",
    redirect_uri="https://page.example/xero/callback",
)
KEYRING = Keyring({"key": bytes(32)})
OURS, THEIRS = Secret("our refresh token"), Secret("the peer's new refresh token")
ACCESS = Secret("the peer's access token")


@pytest.fixture
def claimed(database: str) -> Credential:
    """A credential whose access token has ended, and which a peer refreshes right now."""
    credential = make_credential(id="credential", secret=KEYRING.encrypt(OURS, secret_context("credential")))
    assert claim_refresh(credential, "peer", NOW)
    return credential


def test_while_one_process_refreshes_the_others_wait_for_its_token(
    claimed: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = FakeHttp()
    tokens = StoredTokens(claimed.id, APP, KEYRING, http, lambda: NOW)

    def the_peer_is_answered(_: float) -> None:
        store_refreshed(
            claimed,
            "peer",
            secret=KEYRING.encrypt(THEIRS, secret_context(claimed.id)),
            access_token=KEYRING.encrypt(ACCESS, access_context(claimed.id)),
            expires_at=NOW + timedelta(minutes=30),
        )

    monkeypatch.setattr("services.access_tokens.time.sleep", the_peer_is_answered)

    assert tokens.current() == ACCESS
    assert http.sent == []


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Answer(200, {}, b'{"access_token": "a", "refresh_token": "r", "expires_in": 1800}'), "refreshed"),
        (Answer(400, {}, b'{"error": "invalid_grant"}'), "refused"),
        (Answer(503, {}, b""), "failed"),
    ],
)
def test_each_refresh_is_counted_by_what_came_of_it(database: str, answer: Answer, result: str) -> None:
    credential = make_credential(id="credential", secret=KEYRING.encrypt(OURS, secret_context("credential")))
    count = {
        name: counted("qonto_xero_token_refreshes_total", peer="xero", result=name)
        for name in ("refreshed", "refused", "failed")
    }

    with suppress(RemoteError):
        StoredTokens(credential.id, APP, KEYRING, FakeHttp(answer), lambda: NOW).current()

    assert {name: more() for name, more in count.items() if more()} == {result: 1}
