"""Who may do what on the page: by role, asked of Qonto each time; and for their own company alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.audit import AuditEntry
from models.organisation import Connection
from models.states import ConnectionState
from models.sync_run import SyncRun
from services.view_audit import view_audit
from tests.acceptance.browser import Shown, query_of, with_query
from tests.acceptance.page import Person, Visitor, connected, follow
from tests.acceptance.world import Office
from web.site import ROUTES, Who

pytestmark = pytest.mark.acceptance


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here."""
    return sqlite_url


MAY = ("owner", "admin", "reporting", "accountant")
MAY_NOT = ("manager", "employee")
MEMBERS_ONLY = [route for route in ROUTES if route.who is Who.MEMBER]
FORMS = [route for route in ROUTES if route.method == "POST"]

Ask = Callable[[Person, str, str], Shown]


@pytest.fixture
def ask() -> Ask:
    """Any request as a person who has signed in may make it, with their own form's token."""

    def send(person: Person, method: str, path: str) -> Shown:
        form = {"form_token": _form_token(person), "name": "N", "tenant": person.company.tenant, "attempt": "none"}
        return person.browser.ask(method, path, form if method == "POST" else None)

    return send


def _form_token(person: Person) -> str:
    """What the sign-out form carries, which every page of a person who signed in has."""
    shown = person.browser.get("/nowhere-else")
    return shown.form("Sign out").fields["form_token"][0]


@pytest.mark.parametrize("route", MEMBERS_ONLY, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize("role", MAY_NOT)
def test_whoever_may_not_decide_is_refused_everywhere_and_told_who_can(
    office: Office, visitor: Visitor, ask: Ask, role: str, route: object
) -> None:
    someone = visitor()
    assert someone.sign_in(role).status == 403
    entries = AuditEntry.select().count()

    shown = ask(someone, route.method, route.path)  # type: ignore[attr-defined]

    assert shown.status == 403
    for who in ("the owner of the Qonto account", "admins", "accountants"):
        assert who in shown.html
    assert AuditEntry.select().count() == entries + 1
    assert Connection.select().count() == SyncRun.select().count() == 0


@pytest.mark.parametrize("role", MAY)
def test_owners_admins_and_accountants_connect_and_disconnect(office: Office, visitor: Visitor, role: str) -> None:
    someone = visitor()
    assert someone.sign_in(role).heading == "Connect Xero"

    assert someone.connect().heading == "Xero is connected"
    follow(office, someone)
    office.run_until_quiet()
    someone.disconnect()
    office.run_until_quiet()

    assert someone.company.connection.state == ConnectionState.DISCONNECTED


def test_a_refusal_is_in_the_audit_of_the_company_with_the_person_and_the_reason(
    office: Office, visitor: Visitor
) -> None:
    ada = connected(office, visitor())
    max_ = visitor(ada.company)

    max_.sign_in("manager")

    entry = view_audit(None, 1)[0]
    assert (entry.action, entry.organisation) == ("organisation.refuse", ada.company.known["slug"])
    assert entry.who == f"Max Planck ({max_.person('manager')['id']})"
    assert entry.reason == "role_may_not"


@pytest.mark.parametrize("changes", [{"role": "employee"}, {"status": "inactive"}])
def test_whoever_is_demoted_in_the_middle_is_stopped_at_the_next_step(
    office: Office, visitor: Visitor, changes: dict[str, str]
) -> None:
    ada = visitor()
    ada.sign_in()
    confirm = ada.consent()
    ada.owner_becomes(**changes)

    assert ada.browser.press(confirm, "Connect").status == 403
    assert Connection.select().count() == 0
    assert ada.browser.get("/").status == 403


def test_whoever_is_demoted_cannot_disconnect_any_more(office: Office, visitor: Visitor) -> None:
    ada = connected(office, visitor())
    page = ada.browser.get("/disconnect")
    ada.owner_becomes(role="manager")

    assert ada.browser.press(page, "Disconnect").status == 403
    assert ada.company.connection.state == ConnectionState.LIVE


def test_whoever_was_demoted_while_at_xero_is_stopped_before_the_code_is_exchanged(
    office: Office, visitor: Visitor
) -> None:
    ada = visitor()
    ada.sign_in()
    back = ada.xero_says_yes(ada.go_to_xero())
    ada.owner_becomes(role="employee")
    before = office.world.last_request()

    assert ada.browser.get(back).status == 403
    asked = office.world.sandbox.get("/requests", after=str(before), service="identity")["requests"]
    assert asked == []


@pytest.mark.parametrize("route", MEMBERS_ONLY, ids=lambda route: f"{route.method} {route.path}")
def test_without_signing_in_nothing_is_shown_and_nothing_changes(
    office: Office, visitor: Visitor, route: object
) -> None:
    shown = visitor().browser.ask(route.method, route.path, {})  # type: ignore[attr-defined]

    assert shown.status == 401
    assert shown.has_button("Sign in with Qonto")
    assert Connection.select().count() == 0


@pytest.mark.parametrize("route", FORMS, ids=lambda route: route.path)
@pytest.mark.parametrize("how", ["no token", "a wrong token", "another site"])
def test_a_form_that_is_not_of_this_session_changes_nothing(
    office: Office, visitor: Visitor, route: object, how: str
) -> None:
    ada = visitor()
    ada.sign_in()
    token = {"no token": "", "a wrong token": "0" * 64, "another site": _form_token(ada)}[how]
    if how == "another site":
        ada.browser.headers |= {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}

    shown = ada.browser.ask("POST", route.path, {"form_token": token, "name": "N"})  # type: ignore[attr-defined]

    assert shown.status == 403
    assert Connection.select().count() == 0
    ada.browser.headers = {"Accept-Language": "en"}
    assert ada.browser.get("/").heading == "Connect Xero"


def test_the_token_of_another_session_s_form_is_not_taken(office: Office, visitor: Visitor, ask: Ask) -> None:
    ada, eva = visitor(), visitor()
    ada.sign_in()
    eva.sign_in()

    shown = ada.browser.ask("POST", "/connect", {"form_token": _form_token(eva), "name": "N"})

    assert shown.status == 403


def test_a_sign_in_page_that_was_open_before_another_tab_began_still_works(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    first = ada.browser.get("/")
    ada.go_to_qonto()

    assert ada.browser.press(first, "Sign in with Qonto").away


def test_a_session_gets_a_new_name_when_its_person_signs_in(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    away = ada.go_to_qonto()
    anonymous = ada.browser.session

    ada.browser.get(ada.qonto_says_yes(away))

    assert ada.browser.session not in {"", anonymous}
    ada.browser.cookies["__Host-session"] = anonymous
    assert ada.browser.get("/").has_button("Sign in with Qonto")


def test_the_cookie_of_a_session_that_was_ended_opens_nothing(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    start = ada.sign_in()
    cookies = dict(ada.browser.cookies)

    left = ada.browser.press(start, "Sign out")

    assert left.has_button("Sign in with Qonto")
    assert ada.browser.session == ""
    ada.browser.cookies = cookies
    assert ada.browser.get("/connect").status == 401


def test_an_open_attempt_is_its_own_session_s_alone(office: Office, visitor: Visitor, ask: Ask) -> None:
    """Also for a colleague of the same company, and with the address of the page copied."""
    ada, eva = visitor(), visitor(name="Another SL")
    ada.sign_in()
    rita = visitor(ada.company)
    rita.sign_in("reporting")
    eva.sign_in()
    confirm = ada.consent()
    attempt = query_of(confirm.address)["attempt"]

    for other in (rita, eva):
        before = office.world.last_request()
        for page in ("choose", "confirm"):
            assert (
                other.browser.get(with_query(confirm.address, attempt=attempt).replace("confirm", page)).status == 400
            )
        told = {"form_token": _form_token(other), "attempt": attempt, "tenant": ada.company.tenant}
        for page in ("choose", "confirm", "cancel"):
            assert other.browser.ask("POST", f"/connect/{page}", told).status == 400
        asked = office.world.sandbox.get("/requests", after=str(before), service="xero")["requests"]
        assert asked == []
    assert Connection.select().count() == 0
    assert ada.browser.press(confirm, "Connect").heading == "Xero is connected"
    follow(office, ada)


def test_a_xero_organisation_that_the_login_does_not_reach_cannot_be_named(office: Office, visitor: Visitor) -> None:
    ada, eva = visitor(), visitor(name="Another SL")
    ada.sign_in()
    confirm = ada.consent()

    for tenant in (eva.company.tenant, "none", ""):
        assert ada.browser.get(with_query(confirm.address, tenant=tenant)).status == 409
        assert ada.browser.press(confirm, "Connect", tenant=tenant).status == 409
    assert Connection.select().count() == 0


def test_a_xero_organisation_of_another_qonto_company_is_refused_with_the_reason(
    office: Office, visitor: Visitor
) -> None:
    """One accountant, two clients: the second one is not sent into the first one's books."""
    ada = connected(office, visitor())
    eva = visitor(name="Another SL")
    both = [ada.company.tenant, eva.company.tenant]
    eva.reaches(*both)
    eva.sign_in()

    choose = eva.consent(*both)
    assert choose.form("Continue").offered["tenant"] == [eva.company.tenant]  # the other is shown, and cannot be chosen
    assert "Connected to another Qonto company" in choose.html
    refused = eva.browser.press(choose, "Continue", tenant=ada.company.tenant)

    assert refused.status == 409
    assert "is connected to another Qonto company" in refused.html
    assert Connection.select().count() == 1


def test_a_company_sees_and_disconnects_its_own_connection_only(office: Office, visitor: Visitor) -> None:
    ada, eva = visitor(), visitor(name="Another SL")
    ada.sign_in()
    ada.connect(name="Ada's secret name")
    follow(office, ada)
    office.run_until_quiet()
    eva.sign_in()

    for path in ("/", "/connected", "/disconnect", "/connect"):
        assert "secret name" not in eva.browser.get(path).html
    told = {
        "form_token": _form_token(eva),
        "organisation": ada.company.id,
        "connection": ada.company.connection_id,
        "attempt": ada.company.connection_id,
    }
    eva.browser.ask("POST", "/disconnect", told)

    assert ada.company.connection.state == ConnectionState.LIVE
    assert SyncRun.select().where(SyncRun.kind == "disconnection").count() == 0


@pytest.mark.parametrize("address", ["//evil.example/x", "//evil.example", "/connect?attempt=//evil.example"])
def test_no_page_leads_to_another_site(office: Office, visitor: Visitor, address: str) -> None:
    shown = visitor().browser.ask("GET", address)

    assert [link for link in shown.reader.links.values() if link.startswith("//") or "://" in link] == []


def test_the_language_can_be_changed_where_a_form_was_sent_back(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    other = office.world.sandbox.post("/tenants", {"tenant_name": "Norte"})["tenant_id"]
    ada.reaches(ada.company.tenant, other)
    ada.sign_in()
    again = ada.browser.press(ada.consent(ada.company.tenant, other), "Continue")
    assert again.status == 422

    shown = ada.browser.follow(again, "Français")

    assert shown.status == 200
    assert len(shown.reader.forms[1].offered["tenant"]) == 2


@pytest.mark.parametrize("token", ["é", "", "0"])
def test_a_token_of_any_text_is_refused_and_no_more(office: Office, visitor: Visitor, token: str) -> None:
    ada = visitor()
    ada.sign_in()

    assert ada.browser.ask("POST", "/connect", {"form_token": token, "name": "N"}).status == 403
