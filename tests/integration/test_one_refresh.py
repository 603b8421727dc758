"""A refresh token is used by one process at a time: the others wait for what it gets."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from clients.errors import RemoteError, Temporary
from clients.http import Answer
from clients.oauth import OAuthApp
from models.credential import CLAIM, Credential, claim_refresh, store_refreshed
from models.encryption import Keyring
from services.access_tokens import RESTS_SECONDS, TRY_WITHIN, StoredTokens, access_context, secret_context
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
MOST_TRIES = 1 + len(RESTS_SECONDS)
OURS, THEIRS = Secret("our refresh token"), Secret("the peer's new refresh token")
ACCESS = Secret("the peer's access token")


GOOD = Answer(200, {}, b'{"access_token": "a", "refresh_token": "r", "expires_in": 1800}')
LOST = Answer(502, {}, b"")


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was rested, in seconds; nobody really rests."""
    found: list[float] = []
    monkeypatch.setattr("services.access_tokens.time.sleep", found.append)
    return found


@pytest.fixture
def ours(database: str) -> Credential:
    """A credential whose access token has ended."""
    return make_credential(id="credential", secret=KEYRING.encrypt(OURS, secret_context("credential")))


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
def test_each_refresh_is_counted_by_what_came_of_it(
    database: str, rests: list[float], answer: Answer, result: str
) -> None:
    credential = make_credential(id="credential", secret=KEYRING.encrypt(OURS, secret_context("credential")))
    count = {
        name: counted("qonto_xero_token_refreshes_total", peer="xero", result=name)
        for name in ("refreshed", "refused", "failed")
    }

    with suppress(RemoteError):
        StoredTokens(credential.id, APP, KEYRING, FakeHttp(*[answer] * MOST_TRIES), lambda: NOW).current()

    assert {name: more() for name, more in count.items() if more()} == {result: 1}


def test_an_answer_that_is_lost_is_asked_for_again_at_once_with_the_same_refresh_token(
    ours: Credential, rests: list[float]
) -> None:
    http = FakeHttp(LOST, LOST, GOOD)

    assert StoredTokens(ours.id, APP, KEYRING, http, lambda: NOW).current() == Secret("a")

    assert len({sent.body for sent in http.sent}) == 1
    assert rests == [*RESTS_SECONDS[:2]]
    assert rests[0] == 0


def test_an_answer_that_stays_lost_is_not_asked_for_beyond_the_grace(ours: Credential, rests: list[float]) -> None:
    moments = iter([NOW + n * timedelta(seconds=1) for n in range(4)] + [NOW + TRY_WITHIN + timedelta(hours=1)] * 9)
    http = FakeHttp(*[LOST] * MOST_TRIES)

    with pytest.raises(Temporary):
        StoredTokens(ours.id, APP, KEYRING, http, lambda: next(moments)).current()

    assert len(http.sent) < MOST_TRIES


def test_the_claim_is_renewed_before_each_further_try(ours: Credential, rests: list[float]) -> None:
    now = [NOW]
    seen: list[datetime] = []

    class Waiting(FakeHttp):
        def call(self, *args: Any, **more: Any) -> Answer:
            seen.append(Credential.get_by_id(ours.id).claimed_until)
            now[0] += timedelta(seconds=8)
            return super().call(*args, **more)

    StoredTokens(ours.id, APP, KEYRING, Waiting(LOST, LOST, GOOD), lambda: now[0]).current()

    assert [moment - CLAIM for moment in seen] == [NOW + n * timedelta(seconds=8) for n in range(3)]


def test_whoever_lost_the_claim_meanwhile_leaves_the_rest_to_the_other(ours: Credential, rests: list[float]) -> None:
    class TakenOver(FakeHttp):
        def call(self, *args: Any, **more: Any) -> Answer:
            Credential.update(claimed_by="peer").where(Credential.id == ours.id).execute()
            return super().call(*args, **more)

    http = TakenOver(LOST, GOOD)
    with pytest.raises(Temporary):
        StoredTokens(ours.id, APP, KEYRING, http, lambda: NOW).current()

    assert len(http.sent) == 1
