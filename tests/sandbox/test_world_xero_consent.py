"""How a person lets the app into Xero organisations, and what comes of it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.sandbox.app import App, Page, xero_app
from tests.sandbox.world_client import WorldClient

ONE_ONLY = {"acr_values": "bulk_connect:false"}


@pytest.fixture
def app(world: WorldClient) -> App:
    return xero_app(world)


def tenant(world: WorldClient, name: str, **spec: Any) -> str:
    """A Xero organisation that anna may connect."""
    made = world.control("POST", "/tenants", {"tenant_name": name, "user": "anna", **spec})
    return str(made["tenant_id"])


def user_id(world: WorldClient, name: str) -> str:
    users = world.control("GET", "/xero/users")["users"]
    return next(str(user["id"]) for user in users if user["name"] == name)


def allow(app: App, *tenants: str, user: str = "anna", **changes: str) -> dict[str, Any]:
    """The tokens a person gives for these tenants."""
    fields = {"user": user_id(app.world, user), "tenant": tenants, "decision": "allow"}
    return dict(app.redeem(app.answer(fields, **changes)["code"]).json())


def event(tokens: dict[str, Any]) -> str:
    claims = json.loads(base64.urlsafe_b64decode(tokens["access_token"].split(".")[1] + "=="))
    return str(claims["authentication_event_id"])


def connections(app: App, tokens: dict[str, Any], query: str = "") -> dict[str, dict[str, str]]:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    found = app.world.call("GET", f"/xero/connections{query}", headers=headers).json()
    return {link["tenantId"]: link for link in found}


def test_a_tenant_can_be_without_a_qonto(world: WorldClient) -> None:
    spec = {"base_currency": "GBP", "period_lock_date": "2026-10-31", "tenant_name": "Books of London"}
    made = world.control("POST", "/tenants", spec)
    assert (made["tenant_name"], made["xero_tokens"]) == ("Books of London", None)
    [listed] = world.control("GET", "/tenants")["tenants"]
    assert (listed["tenant_id"], listed["organisation_ids"]) == (made["tenant_id"], [])
    assert (listed["currencies"], listed["connected"]) == (["GBP"], False)
    connected = world.control("POST", "/tenants", {"tenant_id": made["tenant_id"], "connected": True})
    headers = {
        "Authorization": f"Bearer {connected['xero_tokens']['access_token']}",
        "xero-tenant-id": made["tenant_id"],
        "Accept": "application/json",
    }
    [shown] = world.call("GET", "/xero/api.xro/2.0/Organisation", headers=headers).json()["Organisations"]
    assert (shown["Name"], shown["BaseCurrency"]) == ("Books of London", "GBP")
    assert shown["PeriodLockDate"]


def test_users_are_listed_with_what_they_may_connect_and_what_they_did(world: WorldClient) -> None:
    one = world.organisation(xero={"user": "anna"}).tenant
    two = world.organisation(xero={"user": "anna", "connected": False}).tenant
    alone = world.organisation()
    anna, default = world.control("GET", "/xero/users")["users"]
    assert (anna["name"], anna["tenants"], anna["connected"]) == ("anna", [one, two], [one])
    assert (default["name"], default["tenants"]) == (alone.known["xero_user"], [alone.tenant])


def test_what_a_user_may_connect_can_be_set(world: WorldClient) -> None:
    one, two = tenant(world, "One"), tenant(world, "Two")
    assert world.control("POST", "/xero/users", {"name": "anna", "tenants": [two]})["tenants"] == [two]
    assert world.control("POST", "/xero/users", {"name": "ben", "tenants": [two, one]})["tenants"] == [two, one]
    assert world.call("POST", "/control/xero/users", json={"name": "ben", "tenants": ["x"]}).status_code == 404
    assert world.call("POST", "/control/xero/users", json={"name": ""}).status_code == 400


def test_first_one_says_who_one_is(world: WorldClient, app: App) -> None:
    tenant(world, "One")
    ben = world.control("POST", "/xero/users", {"name": "ben"})
    anna = user_id(world, "anna")
    page = Page(app.open())
    assert page.choices == {anna: "anna", ben["id"]: "ben"}
    assert page.buttons == {"login": "Log in", "deny": "Cancel"}
    assert page.checked == [anna]
    for hint in ("ben", ben["email"]):
        assert Page(app.open(login_hint=hint)).checked == [ben["id"]]


def test_then_one_chooses_among_ones_organisations(world: WorldClient, app: App) -> None:
    one, two = tenant(world, "One"), tenant(world, "Two", tenant_type="PRACTICE")
    world.control("POST", "/tenants", {"tenant_name": "Ben's", "user": "ben"})
    login = {"user": user_id(world, "anna"), "decision": "login"}
    page = Page(app.submit(login))
    assert page.choices == {one: "One", two: "Two"}
    assert page.buttons == {"allow": "Allow access", "deny": "Cancel"}
    assert (page.kinds, page.checked) == ({"checkbox"}, [])
    assert Page(app.submit(login, **ONE_ONLY)).kinds == {"radio"}


def test_several_organisations_are_one_grant_and_one_event(world: WorldClient, app: App) -> None:
    one, two, _ = tenant(world, "One"), tenant(world, "Two", tenant_type="PRACTICE"), tenant(world, "Three")
    tokens = allow(app, one, two)
    linked = connections(app, tokens, f"?authEventId={event(tokens)}")
    assert {tenant_id: link["tenantType"] for tenant_id, link in linked.items()} == {
        one: "ORGANISATION",
        two: "PRACTICE",
    }
    assert tokens["id_token"]


@pytest.mark.parametrize("keeps", [True, False])
def test_a_reconnected_organisation_keeps_its_event_unless_told_otherwise(
    world: WorldClient, app: App, keeps: bool
) -> None:
    world.settings(reconnect_keeps_auth_event=keeps)
    one, two = tenant(world, "One"), tenant(world, "Two")
    first = allow(app, one)
    world.advance(60)
    second = allow(app, one, two)
    links = connections(app, second)
    assert event(first) != event(second)
    assert links[one]["authEventId"] == event(first if keeps else second)
    assert links[two]["authEventId"] == event(second)
    assert links[one]["id"] == connections(app, first)[one]["id"]
    assert links[one]["createdDateUtc"] < links[one]["updatedDateUtc"]


def test_choosing_nothing_stays_on_the_page(world: WorldClient, app: App) -> None:
    one = tenant(world, "One")
    answer = app.submit({"user": user_id(world, "anna"), "decision": "allow"})
    assert (answer.status_code, Page(answer).choices) == (200, {one: "One"})
    assert "Select at least one organisation." in answer.text


def test_choosing_several_where_one_is_allowed_stays_on_the_page(world: WorldClient, app: App) -> None:
    tenants = [tenant(world, "One"), tenant(world, "Two")]
    fields = {"user": user_id(world, "anna"), "tenant": tenants, "decision": "allow"}
    assert "Select one organisation only." in app.submit(fields, **ONE_ONLY).text


def test_who_has_no_organisation_can_still_let_the_app_know_them(world: WorldClient, app: App) -> None:
    carl = world.control("POST", "/xero/users", {"name": "carl"})
    page = app.submit({"user": carl["id"], "decision": "login"})
    assert "You have no organisation to connect." in page.text
    tokens = allow(app, user="carl")
    assert connections(app, tokens) == {}


def test_nobody_connects_what_is_not_theirs(world: WorldClient, app: App) -> None:
    tenant(world, "One")
    other = world.control("POST", "/tenants", {"tenant_name": "Ben's", "user": "ben"})["tenant_id"]
    fields = {"user": user_id(world, "anna"), "tenant": other, "decision": "allow"}
    assert app.submit(fields).status_code == 400
    assert world.control("GET", "/tenants")["tenants"][1]["connected"] is False


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("https://app.example/back", 200),
        ("http://localhost/back", 200),
        ("http://localhost:8000/back", 200),
        ("http://127.0.0.1:8000/back", 400),
        ("http://localhost.example/back", 400),
        ("http://app.example/back", 400),
    ],
)
def test_the_way_back_is_by_https_or_to_localhost_by_name(app: App, address: str, status: int) -> None:
    assert app.open(redirect_uri=address).status_code == status


def test_an_id_token_is_only_for_who_asked_to_know_the_person(world: WorldClient, app: App) -> None:
    one = tenant(world, "One")
    assert "id_token" not in allow(app, one, scope="offline_access accounting.settings.read")


def test_a_consent_behind_the_page_may_be_challenged_too(world: WorldClient, app: App) -> None:
    one = tenant(world, "One")
    body = {"code_challenge": "x" * 43, "user": "anna"}
    code = world.control("POST", f"/xero/{one}/authorize", body)["code"]
    assert app.redeem(code).json() == {"error": "invalid_grant"}


def test_hostile_names_are_only_text(world: WorldClient, app: App) -> None:
    evil = "<script>alert(1)</script>"
    made = world.control("POST", "/tenants", {"tenant_name": evil, "user": evil, "tenant_type": evil})
    user = user_id(world, evil)
    login, consent = app.open(), app.submit({"user": user, "decision": "login"})
    assert "<script" not in login.text + consent.text
    assert Page(login).choices == {user: evil}
    assert Page(consent).choices == {made["tenant_id"]: evil}
