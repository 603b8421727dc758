"""What the authorization endpoints of both providers hold an app to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.app import BACK, CHALLENGE, PKCE, STATE, VERIFIER, App, Page, qonto_app, told, xero_app
from tests.sandbox.world_client import Party, WorldClient


@dataclass
class Consent:
    """An app and the fields with which a person lets it in."""

    app: App
    fields: dict[str, Any]

    def code(self, **changes: str | None) -> str:
        return self.app.answer(self.fields, **changes)["code"]


@pytest.fixture(params=["qonto", "xero"])
def consent(world: WorldClient, request: pytest.FixtureRequest) -> Consent:
    party = world.organisation()
    if request.param == "qonto":
        return Consent(qonto_app(world), {"person": party.known["people"][0]["id"]})
    user = world.control("GET", "/xero/users")["users"][0]
    return Consent(xero_app(world), {"user": user["id"], "tenant": party.tenant, "decision": "allow"})


def test_the_way_back_is_the_apps_own_address_with_its_state(consent: Consent) -> None:
    answer = consent.app.submit(consent.fields)
    assert answer.headers["Location"].startswith(f"{BACK}&code=")
    assert told(answer)["state"] == STATE
    plain = consent.app.submit(consent.fields, redirect_uri="http://localhost:8000/back", state=None)
    assert plain.headers["Location"].startswith("http://localhost:8000/back?code=")
    assert set(told(plain)) == {"code"}


def test_who_refuses_sends_the_app_away_without_a_code(consent: Consent) -> None:
    assert consent.app.answer({"decision": "deny"}) == {
        "from": "bank",
        "error": "access_denied",
        "state": STATE,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "stranger"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "app"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://"},
        {"redirect_uri": "https://[app/"},
        {"redirect_uri": "https://app.example/#part"},
        {"redirect_uri": "https://app.example/\r\nSet-Cookie: a=b"},
        {"response_type": "token"},
        {"response_type": None},
    ],
)
def test_an_app_that_cannot_be_trusted_gets_a_page_and_no_redirect(
    consent: Consent, wrong: dict[str, str | None]
) -> None:
    for answer in (consent.app.open(**wrong), consent.app.submit(consent.fields, **wrong)):
        assert (answer.status_code, answer.headers.get("Location")) == (400, None)
        assert Page(answer).buttons == {}


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"scope": "offline_access everything"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
    ],
)
def test_an_app_that_asks_for_what_is_not_offered_is_told_by_redirect(
    consent: Consent, wrong: dict[str, str | None], error: str
) -> None:
    for answer in (consent.app.open(**wrong), consent.app.submit(consent.fields, **wrong)):
        assert told(answer) == {"from": "bank", "error": error, "state": STATE}


def test_a_decision_of_nobody_is_refused_on_the_spot(consent: Consent) -> None:
    assert consent.app.submit({"decision": "allow"}).status_code == 400


def test_a_code_that_was_challenged_needs_its_verifier(consent: Consent) -> None:
    assert consent.app.redeem(consent.code(**PKCE), code_verifier=VERIFIER).ok


@pytest.mark.parametrize("verifier", [None, "", VERIFIER.upper(), "tooshort", CHALLENGE, VERIFIER + "é"])
def test_a_wrong_verifier_uses_the_code_up(consent: Consent, verifier: str | None) -> None:
    code = consent.code(**PKCE)
    for shown in (verifier, VERIFIER):
        assert consent.app.redeem(code, code_verifier=shown).json() == {"error": "invalid_grant"}


def test_a_verifier_that_nobody_asked_for_is_refused(consent: Consent) -> None:
    assert consent.app.redeem(consent.code(), code_verifier=VERIFIER).json() == {"error": "invalid_grant"}


def test_a_code_is_good_once(consent: Consent) -> None:
    code = consent.code()
    assert consent.app.redeem(code).ok
    assert consent.app.redeem(code).json() == {"error": "invalid_grant"}


def test_a_code_is_good_for_five_minutes(consent: Consent) -> None:
    first, second = consent.code(), consent.code()
    consent.app.world.advance(299)
    assert consent.app.redeem(first).ok
    consent.app.world.advance(1)
    assert consent.app.redeem(second).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("address", ["https://app.example/back", f"{BACK}&more", None])
def test_a_code_is_good_for_the_address_it_was_sent_to(consent: Consent, address: str | None) -> None:
    assert consent.app.redeem(consent.code(), redirect_uri=address).json() == {"error": "invalid_grant"}


def test_the_scopes_that_were_asked_for_are_granted_and_offline_access_brings_a_refresh_token(consent: Consent) -> None:
    full = consent.app.redeem(consent.code()).json()
    assert full["scope"] == consent.app.scope
    assert full["refresh_token"]
    scope = consent.app.scope.replace("offline_access ", "")
    brief = consent.app.redeem(consent.code(scope=scope)).json()
    assert (brief["scope"], "refresh_token" in brief) == (scope, False)


def test_neither_codes_nor_states_nor_tokens_are_logged(consent: Consent) -> None:
    code = consent.code()
    tokens = consent.app.redeem(code).json()
    consent.app.world.call("GET", f"{consent.app.token_path}?code={code}&refresh_token={tokens['refresh_token']}")
    shown = consent.app.world.call("GET", "/control/requests").text
    assert "redirect_uri=https%3A%2F%2Fapp.example" in shown
    for secret in (code, tokens["access_token"], tokens["refresh_token"], "s+t%26a%3Dte"):
        assert secret not in shown


def test_a_page_says_that_it_is_not_real_runs_no_script_and_stays_out_of_frames(consent: Consent) -> None:
    answer = consent.app.open()
    assert "Not the real" in answer.text
    assert "<script" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_fault_strikes_the_pages_too(party: Party) -> None:
    party.world.fault("status", status=503, text="maintenance", match={"service": "identity", "path": "/authorize$"})
    app = xero_app(party.world)
    assert [app.open().status_code for _ in range(2)] == [503, 200]
