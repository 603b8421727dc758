"""The pages in a real browser: its forms work without a script, and anybody can use them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.sandbox.app import BACK, PKCE, VERIFIER, App, qonto_app, xero_app
from tests.sandbox.world_client import Party, WorldClient

pytestmark = pytest.mark.integration


@pytest.fixture
def page(chromium: Browser, world: WorldClient) -> Iterator[Page]:
    """A page in which nothing may go wrong; the app's own address answers with an empty one."""
    with chromium.new_context(base_url=world.url) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.route(f"{BACK.partition('?')[0]}**", lambda route: route.fulfill(body="Welcome back"))
        yield page
        assert complaints == []


def assert_anybody_can_use(page: Page) -> None:
    violations = Axe().run(page).response["violations"]
    assert [violation["id"] for violation in violations] == []


def code_in(page: Page, app: App) -> str:
    """The code with which the browser came back."""
    page.wait_for_url(f"{BACK}&code=*")
    code = page.url.split("code=")[1].split("&")[0]
    assert app.redeem(code, code_verifier=VERIFIER).ok
    return code


def test_a_person_signs_in_to_qonto(party: Party, page: Page) -> None:
    app = qonto_app(party.world)
    page.goto(app.address(**PKCE))
    expect(page.get_by_role("heading", name="Sign in to Qonto")).to_be_visible()
    assert_anybody_can_use(page)
    page.get_by_role("button", name="Continue as Ada Owner, owner at Farolillo SL").click()
    assert code_in(page, app)


def test_a_person_refuses(party: Party, page: Page) -> None:
    page.goto(qonto_app(party.world).address())
    page.get_by_role("button", name="Refuse").click()
    page.wait_for_url(f"{BACK}&error=access_denied&*")


def test_a_person_logs_in_to_xero_and_ticks_two_organisations(world: WorldClient, page: Page) -> None:
    app = xero_app(world)
    for name in ("One", "Two", "Three"):
        world.control("POST", "/tenants", {"tenant_name": name, "user": "anna"})
    page.goto(app.address(**PKCE))
    assert_anybody_can_use(page)
    page.get_by_role("radio", name="anna").check()
    page.get_by_role("button", name="Log in").click()
    assert_anybody_can_use(page)
    page.get_by_role("button", name="Allow access").click()
    expect(page.get_by_role("alert")).to_have_text("Select at least one organisation.")
    assert_anybody_can_use(page)
    page.get_by_label("One").check()
    page.get_by_label("Three").check()
    page.get_by_role("button", name="Allow access").click()
    assert code_in(page, app)
    connected = {one["tenant_name"] for one in world.control("GET", "/tenants")["tenants"] if one["connected"]}
    assert connected == {"One", "Three"}


def test_a_refused_request_is_a_page_that_anybody_can_read(world: WorldClient, page: Page) -> None:
    answer = page.request.get(xero_app(world).address(client_id="stranger"))
    assert answer.status == 400
    page.set_content(answer.text())
    assert_anybody_can_use(page)
