"""Coming back from Qonto and Xero: once, in the same session, in ten minutes; else nothing is asked or connected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from models.credential import Credential
from models.organisation import Connection
from tests.acceptance.browser import query_of, with_query
from tests.acceptance.page import NAME, Person, Visitor, follow
from tests.acceptance.world import Office, read_log, spends

pytestmark = pytest.mark.acceptance


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here."""
    return sqlite_url


Spoil = Callable[[Office, Person, str], str]


def token_calls(office: Office, service: str, after: int) -> int:
    """How often we asked for tokens since then."""
    path = "token"
    return len([one for one in read_log(office.world, after, service=service) if one.path.endswith(path)])


def _later(office: Office, _: Person, back: str) -> str:
    office.world.wait(minutes=10, seconds=1)
    return back


def _of_another(_office: Office, person: Person, back: str) -> str:
    """The same address, opened in another browser that was sent to the same place."""
    person.browser.cookies.clear()
    person.sign_in()
    person.go_to_xero()
    return back


SPOILT: dict[str, Spoil] = {
    "no state": lambda _office, _person, back: with_query(back, state=None),
    "an empty state": lambda _office, _person, back: with_query(back, state=""),
    "a wrong state": lambda _office, _person, back: with_query(back, state="guessed"),
    "another session's state": _of_another,
    "an expired state": _later,
    "no code": lambda _office, _person, back: with_query(back, code=None),
    "an error of Xero's": lambda _office, _person, back: with_query(back, code=None, error="server_error"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_whoever_comes_back_with_something_else_is_asked_to_start_again(
    office: Office, visitor: Visitor, how: str
) -> None:
    ada = visitor()
    ada.sign_in()
    back = SPOILT[how](office, ada, ada.xero_says_yes(ada.go_to_xero()))
    before = office.world.last_request()

    shown = ada.browser.get(back)

    assert shown.status == 400
    assert "Nothing was connected" in shown.html
    assert token_calls(office, "identity", before) == 0
    assert Connection.select().count() == 0
    assert not Credential.select().where(Credential.kind == "xero_oauth").exists()


def test_whoever_comes_back_without_a_session_is_asked_to_start_again(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    back = ada.xero_says_yes(ada.go_to_xero())
    ada.browser.cookies.clear()
    before = office.world.last_request()

    assert ada.browser.get(back).status == 400
    assert token_calls(office, "identity", before) == 0


def test_a_state_works_once(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    back = ada.xero_says_yes(ada.go_to_xero())
    assert ada.browser.get(back).heading == "Connect to Farolillo Libros?"
    before = office.world.last_request()

    again = ada.browser.get(back)

    assert again.status == 400
    assert token_calls(office, "identity", before) == 0


def test_qonto_and_xero_are_not_taken_for_each_other(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    back = ada.qonto_says_yes(ada.go_to_qonto())
    before = office.world.last_request()

    assert ada.browser.get(back.replace("/qonto/", "/xero/")).status == 400
    assert token_calls(office, "identity", before) == 0
    assert ada.browser.get(back).heading == "Connect Xero"


@pytest.mark.parametrize("how", ["no state", "a wrong state", "an expired state", "no code"])
def test_coming_back_from_qonto_is_held_to_the_same(office: Office, visitor: Visitor, how: str) -> None:
    ada = visitor()
    back = SPOILT[how](office, ada, ada.qonto_says_yes(ada.go_to_qonto()))
    before = office.world.last_request()

    assert ada.browser.get(back).status == 400
    assert token_calls(office, "qonto", before) == 0
    assert ada.browser.get("/").has_button("Sign in with Qonto")


def test_whoever_says_no_at_xero_is_told_that_nothing_changed(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    before = office.world.last_request()

    shown = ada.browser.get(ada.xero_says_no(ada.go_to_xero()))

    assert (shown.status, shown.heading) == (200, "You declined access at Xero")
    assert token_calls(office, "identity", before) == 0
    assert ada.browser.get("/").heading == "Connect Xero"


def test_whoever_lets_us_into_no_organisation_is_told_so(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.reaches()
    ada.sign_in()

    shown = ada.browser.get(ada.xero_says_yes(ada.go_to_xero(), ""))

    assert shown.status == 409
    assert "Xero did not let us into any organisation." in shown.html
    assert not Credential.select().where(Credential.kind == "xero_oauth").exists()


def test_whoever_chooses_nothing_is_asked_again(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    choose = _choose_among_three(office, ada)

    shown = ada.browser.press(choose, "Continue")

    assert (shown.status, shown.heading) == (422, "Which Xero organisation?")
    assert "Choose one of them." in shown.html


def test_of_several_the_customer_chooses_and_the_others_are_left_alone(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    choose = _choose_among_three(office, ada)
    names = set(choose.form("Continue").offered["tenant"])
    assert ada.company.tenant in names
    assert len(names) == 3

    confirm = ada.browser.press(choose, "Continue", tenant=ada.company.tenant)
    ada.browser.press(confirm, "Connect")

    follow(office, ada)
    assert ada.company.connection.tenant_id == ada.company.tenant
    ada.company.moves(spends(1_00))
    office.night()
    assert len(ada.company.rows()) == 1


def test_a_practice_is_not_offered(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    practice = office.world.sandbox.post("/tenants", {"tenant_name": "Practice", "tenant_type": "PRACTICE"})[
        "tenant_id"
    ]
    ada.reaches(ada.company.tenant, practice)
    ada.sign_in()

    assert ada.consent(ada.company.tenant, practice).heading == "Connect to Farolillo Libros?"


@pytest.mark.parametrize("keeps", [True, False])
def test_a_tenant_that_is_authorised_again_is_found_whatever_xero_says_of_its_consent(
    office: Office, visitor: Visitor, keeps: bool
) -> None:
    """Xero, it is said, keeps the first consent's event: then the filter finds nothing, and the rest is asked."""
    office.world.settings(reconnect_keeps_auth_event=keeps)
    ada = visitor()
    other = office.world.sandbox.post("/tenants", {"tenant_name": "Of another client"})["tenant_id"]
    ada.reaches(ada.company.tenant, other)
    ada.sign_in()
    ada.consent(ada.company.tenant, other)  # both are linked now, and neither is connected
    office.world.wait(minutes=1)

    shown = ada.consent(ada.company.tenant)

    if keeps:
        assert shown.heading == "Which Xero organisation?"
        assert shown.form("Continue").fields["tenant"] == [ada.company.tenant]
    else:
        assert shown.heading == "Connect to Farolillo Libros?"


def test_the_second_of_two_tabs_is_told_that_it_is_connected_already(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    first, second = ada.consent(), ada.consent()
    ada.browser.press(first, "Connect")

    shown = ada.browser.press(second, "Connect")

    assert shown.status == 409
    assert "This company is connected to Xero already." in shown.html
    assert Connection.select().count() == 1
    follow(office, ada)


def test_a_code_that_xero_does_not_take_is_told_and_nothing_is_kept(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    back = ada.xero_says_yes(ada.go_to_xero())
    office.world.wait(minutes=5, seconds=1)  # a code lives for five minutes, a state for ten

    shown = ada.browser.get(back)

    assert shown.status == 400
    assert not Credential.select().where(Credential.kind == "xero_oauth").exists()


def test_an_answer_that_is_lost_while_the_code_is_exchanged_is_told_and_nothing_is_kept(
    office: Office, visitor: Visitor
) -> None:
    ada = visitor()
    ada.sign_in()
    back = ada.xero_says_yes(ada.go_to_xero())
    office.world.fault("drop", service="identity", method="POST", path="/connect/token", when="after", times=1)

    shown = ada.browser.get(back)

    assert shown.status == 503
    assert shown.headers["Retry-After"] == "60"
    assert Connection.select().count() == 0
    assert ada.connect().heading == "Xero is connected"
    follow(office, ada)


def test_a_challenge_is_sent_and_the_verifier_is_not(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()

    url = ada.go_to_xero()

    asked = dict(parse_qsl(urlsplit(url).query))
    assert asked.pop("code_challenge_method") == "S256"
    assert len(asked.pop("code_challenge")) == 43
    assert len(asked.pop("state")) == 43
    assert asked == {
        "response_type": "code",
        "client_id": "sandbox-xero-client",
        "redirect_uri": "http://localhost:8080/xero/callback",
        "scope": "offline_access accounting.settings accounting.banktransactions accounting.contacts",
    }


def test_each_authorisation_has_a_state_and_a_challenge_of_its_own(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    urls = [query_of(ada.go_to_xero()) for _ in range(3)]

    assert len({url["state"] for url in urls}) == len({url["code_challenge"] for url in urls}) == 3


def test_the_name_is_asked_for_until_there_is_one(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()

    shown = ada.browser.press(ada.browser.get("/connect"), "Continue to Xero", name="  ")

    assert (shown.status, shown.heading) == (422, "New connection")
    assert "Give it a name." in shown.html
    assert ada.connect(name="  My   books  ").heading == "Xero is connected"
    follow(office, ada)
    assert ada.company.connection.name == "My books"


def test_more_than_ten_tries_an_hour_are_too_many_for_one_company(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    for number in range(10):
        ada.browser.peer = f"192.0.2.{number}"
        assert ada.go_to_xero()

    shown = ada.browser.press(ada.browser.get("/connect"), "Continue to Xero", name=NAME)

    assert (shown.status, shown.headers["Retry-After"]) == (429, "3600")
    office.world.wait(minutes=29)
    ada.browser.get("/")
    office.world.wait(minutes=29)
    ada.browser.get("/")
    office.world.wait(minutes=3)
    assert ada.go_to_xero()


def test_more_than_thirty_returns_a_minute_are_too_many_for_one_address(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    statuses = [ada.browser.get("/xero/callback?state=guessed").status for _ in range(31)]

    assert statuses == [400] * 30 + [429]
    ada.browser.peer = "198.51.100.7"
    assert ada.browser.get("/xero/callback?state=guessed").status == 400


def _choose_among_three(office: Office, person: Person) -> Any:
    others = [office.world.sandbox.post("/tenants", {"tenant_name": name})["tenant_id"] for name in ("Norte", "Sur")]
    tenants = [person.company.tenant, *others]
    person.reaches(*tenants)
    person.sign_in()
    choose = person.consent(*tenants)
    assert choose.heading == "Which Xero organisation?"
    return choose
