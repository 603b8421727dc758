"""Who is at Qonto, how they sign in, and what their tokens tell of them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.sandbox.app import App, Page, qonto_app
from tests.sandbox.world_client import Party, WorldClient

ADA = {"first_name": "Ada", "last_name": "Byron", "email": "ada@example.com"}


@pytest.fixture
def app(world: WorldClient) -> App:
    return qonto_app(world)


def sign_in(app: App, person: dict[str, Any], **changes: str) -> dict[str, Any]:
    """The tokens a person gives."""
    return dict(app.redeem(app.answer({"person": person["id"]}, **changes)["code"]).json())


def read(world: WorldClient, path: str, tokens: dict[str, Any], **query: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return world.call("GET", f"/qonto/v2/{path}", headers=headers, params=query)


def test_an_organisation_has_an_owner_unless_told_otherwise(party: Party) -> None:
    [owner] = party.known["people"]
    assert owner == {
        "id": owner["id"],
        "first_name": "Ada",
        "last_name": "Owner",
        "email": "ada.owner@farolillo-sl-1.example",
        "role": "owner",
        "status": "active",
        "locale": "fr",
    }


def test_people_are_as_told(world: WorldClient) -> None:
    told = {"id": "p1", **ADA, "role": None, "status": "invitable", "locale": "es"}
    party = world.organisation(people=[told, {"first_name": "Ben"}])
    people = world.control("GET", f"/qonto/{party.id}/people")["people"]
    assert people == party.known["people"]
    assert people[0] == told
    assert (people[1]["last_name"], people[1]["role"], people[1]["status"]) == ("", "owner", "active")


@pytest.mark.parametrize("people", [[], [{}], [{"first_name": "A", "id": "p"}, {"first_name": "B", "id": "p"}]])
def test_an_organisation_of_nobody_or_of_twins_is_refused(world: WorldClient, people: list[dict[str, str]]) -> None:
    body = {"name": "Nobody", "people": people}
    assert world.call("POST", "/control/organisations", json=body).status_code == 400
    assert world.control("GET", "/organisations")["organisations"] == []


def test_someone_may_join_but_not_twice(party: Party) -> None:
    path = f"/control/qonto/{party.id}/people"
    body = {"first_name": "Ben", "role": "manager", "id": "ben"}
    assert party.world.call("POST", path, json=body).status_code == 201
    assert party.world.call("POST", path, json=body).status_code == 400
    assert party.world.call("POST", f"{path}/nobody", json={}).status_code == 404
    people = party.world.control("GET", f"/qonto/{party.id}/people")["people"]
    assert [person["role"] for person in people] == ["owner", "manager"]


def test_everyone_of_every_organisation_can_be_chosen_to_sign_in(world: WorldClient, app: App) -> None:
    first = world.organisation(name="One", people=[ADA, {"first_name": "Ben", "role": None, "status": "inactive"}])
    second = world.organisation(name="Two", people=[{**ADA, "role": "admin"}])
    ada, ben, ada_too = (person["id"] for person in first.known["people"] + second.known["people"])
    assert Page(app.open()).buttons == {
        ada: "Continue as Ada Byron, owner at One",
        ben: "Continue as Ben, no role at One (inactive)",
        ada_too: "Continue as Ada Byron, admin at Two",
        "deny": "Refuse",
    }


def test_a_hint_puts_its_people_first(world: WorldClient, app: App) -> None:
    world.organisation()
    hinted = world.organisation(people=[ADA]).known["people"][0]["id"]
    assert next(iter(Page(app.open(login_hint="ada@example.com")).buttons)) == hinted


def test_hostile_names_are_only_text(world: WorldClient, app: App) -> None:
    evil = "<script>alert(1)</script>"
    person = {"first_name": evil, "last_name": '"><b>', "role": "<i>"}
    party = world.organisation(name=evil, people=[person])
    answer = app.open()
    assert "<script" not in answer.text
    button = Page(answer).buttons[party.known["people"][0]["id"]]
    assert button == f'Continue as {evil} "><b>, <i> at {evil}'


def test_a_token_is_of_the_organisation_and_of_the_person_who_gave_it(world: WorldClient, app: App) -> None:
    world.organisation(people=[ADA])
    party = world.organisation(people=[{"first_name": "Ben"}, {**ADA, "role": "admin"}])
    person = party.known["people"][1]
    tokens = sign_in(app, person)
    assert read(world, "organization", tokens).json()["organization"]["id"] == party.id
    shown = read(world, "membership", tokens).json()["membership"]
    assert {name: shown[name] for name in person} == person
    assert "organization_id" not in shown


def test_tokens_that_the_world_introduces_are_the_first_persons(party: Party) -> None:
    shown = read(party.world, "membership", party.known["qonto_tokens"]).json()["membership"]
    assert shown["id"] == party.known["people"][0]["id"]


def test_a_demotion_shows_at_once(party: Party, app: App) -> None:
    person = party.known["people"][0]
    tokens = sign_in(app, person)
    path = f"/qonto/{party.id}/people/{person['id']}"
    assert party.world.control("POST", path, {"role": "employee"})["role"] == "employee"
    assert read(party.world, "membership", tokens).json()["membership"]["role"] == "employee"
    party.world.control("POST", path, {"role": None, "status": "inactive"})
    shown = read(party.world, "membership", tokens).json()["membership"]
    assert (shown["role"], shown["status"]) == (None, "inactive")
    assert "no role at Farolillo SL (inactive)" in Page(app.open()).buttons[person["id"]]


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        ("organization.read", "membership", 403),
        ("membership.read", "membership", 200),
        ("membership.read", "memberships", 403),
        ("membership.read", "organization", 403),
        ("organization.read", "memberships", 200),
        ("organization.read", "bank_accounts", 200),
    ],
)
def test_each_read_needs_its_scope(party: Party, app: App, scope: str, path: str, status: int) -> None:
    answer = read(party.world, path, sign_in(app, party.known["people"][0], scope=scope))
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["errors"][0]["code"] == "forbidden"


def test_an_api_key_lists_the_people_and_is_none_of_them(party: Party) -> None:
    assert party.qonto("memberships").ok
    assert party.qonto("membership").status_code == 403


def test_memberships_come_by_pages(world: WorldClient) -> None:
    party = world.organisation(people=[{"first_name": name} for name in "ABC"])
    answer = party.qonto("memberships", page=2, per_page=2).json()
    assert [person["first_name"] for person in answer["memberships"]] == ["C"]
    assert answer["meta"] == {
        "current_page": 2,
        "next_page": None,
        "prev_page": 1,
        "total_pages": 2,
        "total_count": 3,
        "per_page": 2,
    }


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_either_token_ends_their_set_and_no_other(party: Party, app: App, kind: str) -> None:
    mine, other = (sign_in(app, party.known["people"][0]) for _ in range(2))
    revoke = {"token": mine[kind], **app.as_client()}
    assert app.world.call("POST", "/qonto/oauth2/revoke", data={**revoke, "client_secret": "no"}).status_code == 401
    for _ in range(2):
        assert app.world.call("POST", "/qonto/oauth2/revoke", data=revoke).status_code == 200
    assert read(party.world, "membership", mine).status_code == 401
    assert app.redeem("", grant_type="refresh_token", refresh_token=mine["refresh_token"]).status_code == 400
    assert read(party.world, "membership", other).ok


def test_a_refreshed_token_is_still_the_persons(party: Party, app: App) -> None:
    tokens = sign_in(app, party.known["people"][0])
    newer = app.redeem("", grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
    shown = read(party.world, "membership", newer).json()["membership"]
    assert shown["id"] == party.known["people"][0]["id"]
