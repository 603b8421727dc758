"""Token sets, connections and the gateway's refusals."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from tests.sandbox.world_client import Party, WorldClient

HALF_AN_HOUR = 30 * 60
DAY = 86_400


def refresh(party: Party, token: str, service: str = "xero", **changes: Any) -> requests.Response:
    path = "/identity/connect/token" if service == "xero" else "/qonto/oauth2/token"
    form = {
        "grant_type": "refresh_token",
        "refresh_token": token,
        "client_id": party.known[f"{service}_client_id"],
        "client_secret": party.known[f"{service}_client_secret"],
        **changes,
    }
    return party.world.call("POST", path, data=form)


def test_each_refresh_gives_a_new_pair_that_works(party: Party) -> None:
    first = party.known["xero_tokens"]
    second = refresh(party, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["expires_in"] == 1800
    party.known["xero_tokens"] = second
    assert party.xero("GET", "Organisation").status_code == 200


def test_a_client_may_name_itself_by_basic_authentication(party: Party) -> None:
    answer = party.world.call(
        "POST",
        "/identity/connect/token",
        data={"grant_type": "refresh_token", "refresh_token": party.known["xero_tokens"]["refresh_token"]},
        auth=(party.known["xero_client_id"], party.known["xero_client_secret"]),
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(("service", "grace"), [("xero", HALF_AN_HOUR), ("qonto", 60)])
def test_the_previous_refresh_token_works_through_its_grace_and_not_after(
    party: Party, service: str, grace: int
) -> None:
    old = party.known[f"{service}_tokens"]["refresh_token"]
    refresh(party, old, service)
    party.world.advance(grace)
    assert refresh(party, old, service).status_code == 200
    party.world.advance(1)
    answer = refresh(party, old, service)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize(("service", "days"), [("xero", 60), ("qonto", 90)])
def test_an_unused_refresh_token_dies(party: Party, service: str, days: int) -> None:
    party.world.advance(days * DAY)
    assert refresh(party, party.known[f"{service}_tokens"]["refresh_token"], service).status_code == 400


@pytest.mark.parametrize("wrong", [{"client_secret": "no"}, {"client_id": "no"}])
def test_a_wrong_client_is_told_so(party: Party, wrong: dict[str, str]) -> None:
    answer = refresh(party, party.known["xero_tokens"]["refresh_token"], **wrong)
    assert answer.json() == {"error": "invalid_client"}


def test_an_expired_access_token_is_refused_in_the_gateways_words(party: Party) -> None:
    party.world.advance(HALF_AN_HOUR)
    answer = party.xero("GET", "Organisation")
    assert answer.status_code == 401
    assert answer.json()["Detail"] == "TokenExpired: token expired at 11/20/2026 12:30:00"


def test_a_garbage_token_is_refused(party: Party) -> None:
    answer = party.xero("GET", "Organisation", headers={"Authorization": "Bearer nonsense"})
    assert (answer.status_code, answer.json()["Detail"]) == (401, "AuthenticationUnsuccessful")


def test_a_missing_scope_is_a_401(party: Party) -> None:
    code = party.world.control("POST", f"/xero/{party.tenant}/authorize", {"scope": "openid accounting.settings"})
    party.known["xero_tokens"] = exchange(party, code["code"]).json()
    assert party.xero("GET", "Organisation").status_code == 200
    answer = party.xero("GET", "BankTransactions")
    assert (answer.status_code, answer.json()["Detail"]) == (401, "AuthorizationUnsuccessful")
    assert "insufficient_scope" in answer.headers["WWW-Authenticate"]


def exchange(party: Party, code: str, **changes: str) -> requests.Response:
    return refresh(party, "", grant_type="authorization_code", code=code, **changes)


def test_a_code_works_once_and_for_five_minutes(party: Party) -> None:
    consent = {"redirect_uri": "http://localhost/back"}
    first, second = (party.world.control("POST", f"/xero/{party.tenant}/authorize", consent)["code"] for _ in range(2))
    assert exchange(party, first, redirect_uri="http://localhost/back").status_code == 200
    assert exchange(party, first, redirect_uri="http://localhost/back").json() == {"error": "invalid_grant"}
    party.world.advance(300)
    assert exchange(party, second, redirect_uri="http://localhost/back").json() == {"error": "invalid_grant"}


def test_a_code_needs_its_own_redirect_uri(party: Party) -> None:
    code = party.world.control("POST", f"/xero/{party.tenant}/authorize", {"redirect_uri": "http://localhost/a"})[
        "code"
    ]
    assert exchange(party, code, redirect_uri="http://localhost/b").json() == {"error": "invalid_grant"}


def connections(party: Party, query: str = "") -> list[dict[str, str]]:
    headers = {"Authorization": f"Bearer {party.known['xero_tokens']['access_token']}"}
    return list(party.world.call("GET", f"/xero/connections{query}", headers=headers).json())


def test_one_token_set_covers_every_tenant_its_user_connected(world: WorldClient) -> None:
    anna = [world.organisation(xero={"user": "anna"}) for _ in range(2)]
    world.organisation(xero={"user": "ben"})
    assert {link["tenantId"] for link in connections(anna[0])} == {one.tenant for one in anna}


def test_connections_are_filtered_by_the_tokens_authentication_event(world: WorldClient) -> None:
    first = world.organisation(xero={"user": "anna"})
    world.organisation(xero={"user": "anna"})
    claims = first.known["xero_tokens"]["access_token"].split(".")[1]
    event = json.loads(base64.urlsafe_b64decode(claims + "=="))["authentication_event_id"]
    assert [link["tenantId"] for link in connections(first, f"?authEventId={event}")] == [first.tenant]


def test_reconnecting_keeps_the_links_first_event_unless_told_otherwise(party: Party) -> None:
    before = connections(party)[0]
    party.world.advance(60)
    party.world.control("POST", f"/xero/{party.tenant}/authorize")
    after = connections(party)[0]
    assert after["authEventId"] == before["authEventId"]
    assert after["updatedDateUtc"] == "2026-11-20T12:01:00.0000000"
    party.world.settings(reconnect_keeps_auth_event=False)
    party.world.control("POST", f"/xero/{party.tenant}/authorize")
    assert connections(party)[0]["authEventId"] != before["authEventId"]


def test_a_disconnected_tenant_is_forbidden_while_the_token_still_refreshes(party: Party) -> None:
    party.world.control("POST", f"/xero/{party.tenant}/disconnect")
    answer = party.xero("GET", "Organisation")
    assert (answer.status_code, answer.json()["Title"]) == (403, "Forbidden")
    assert refresh(party, party.known["xero_tokens"]["refresh_token"]).status_code == 200
    assert connections(party) == []


def test_someone_elses_tenant_is_forbidden(world: WorldClient) -> None:
    mine, other = world.organisation(), world.organisation()
    assert mine.xero("GET", "Organisation", headers={"xero-tenant-id": other.tenant}).status_code == 403


def test_deleting_a_connection_ends_it(party: Party) -> None:
    path = f"/xero/connections/{party.known['xero_connection_id']}"
    headers = {"Authorization": f"Bearer {party.known['xero_tokens']['access_token']}"}
    assert party.world.call("DELETE", path, headers=headers).status_code == 204
    assert party.xero("GET", "Organisation").status_code == 403
    assert party.world.call("DELETE", path, headers=headers).status_code == 404


def test_revocation_ends_the_refresh_token_and_all_connections(party: Party) -> None:
    token = party.known["xero_tokens"]["refresh_token"]
    client = (party.known["xero_client_id"], party.known["xero_client_secret"])
    answer = party.world.call("POST", "/identity/connect/revocation", data={"token": token}, auth=client)
    assert (answer.status_code, answer.content) == (200, b"")
    assert refresh(party, token).json() == {"error": "invalid_grant"}
    assert connections(party) == []


def test_a_refresh_token_can_be_revoked_behind_the_apps_back(party: Party) -> None:
    party.world.control("POST", f"/xero/{party.tenant}/revoke")
    assert refresh(party, party.known["xero_tokens"]["refresh_token"]).json() == {"error": "invalid_grant"}
    assert party.xero("GET", "Organisation").status_code == 200
