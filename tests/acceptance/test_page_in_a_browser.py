"""The whole journey in a real browser, against the product as it really runs; every page is usable by anybody."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance import processes
from tests.acceptance.looking import look
from tests.acceptance.page import PEOPLE
from tests.acceptance.processes import Company, at, in_xero
from tests.sandbox.world_client import Party, WorldClient
from tests.servers.processes import free_ports

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

town_url, town = processes.town_url, processes.town
migrated, company = processes.migrated, processes.company

SECOND_NIGHT, THIRD_NIGHT = "2026-11-21T22:00:00Z", "2026-11-22T22:00:00Z"
NAME = "Farolillo's books"


@pytest.fixture
def address(company: Company) -> str:
    """Where the page listens, with a scheduler and a worker behind it."""
    [port] = free_ports(1)
    url = company.settings["WEB_URL"] = f"http://localhost:{port}"
    web = company.start("web", "--port", str(port))
    company.until(lambda: "listens" in web.log() or not web.is_running(), "the page to listen")
    for command in ("scheduler", "worker"):
        company.start(command)
    return url


@dataclass
class Visit:
    """A person in front of a browser. `look` is what a stranger would check of every page that they see."""

    page: Page
    address: str
    pictures: Path | None
    party: Party
    seen: list[str] = field(default_factory=list)

    def look(self, name: str, heading: str | re.Pattern[str]) -> None:
        """The page has this heading, and anybody can use it, on a desk and on a phone. Keep a picture of each."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        look(self.page, name, self.pictures)
        self.seen.append(name)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def open(self, path: str = "/") -> None:
        self.page.goto(self.address + path)

    def sign_in(self, who: str = "Ada Lovelace, owner") -> None:
        self.open()
        self.press("Sign in with Qonto")
        self.page.get_by_role("button", name=f"Continue as {who}").click()

    def let_in(self, *tenants: str) -> None:
        """Say yes at Xero, for these organisations."""
        self.page.get_by_role("radio", name="Ada", exact=True).check()
        self.press("Log in")
        for tenant in tenants:
            self.page.get_by_label(tenant, exact=True).check()
        self.press("Allow access")


@pytest.fixture
def party(town: WorldClient) -> Party:
    """A company whose owner's login at Xero reaches three organisations: its own, one in pounds, a locked one."""
    accounts = [{"name": "Main"}, {"name": "Taxes"}]
    own = {"tenant_name": "Farolillo Libros", "user": "Ada", "connected": False}
    party = town.organisation(people=PEOPLE, accounts=accounts, xero=own)
    london = {"tenant_name": "Farolillo London", "base_currency": "GBP", "currencies": []}
    locked = {"tenant_name": "Farolillo Norte", "period_lock_date": "2026-12-31"}
    others = [town.control("POST", "/tenants", one)["tenant_id"] for one in (london, locked)]
    town.control("POST", "/xero/users", {"name": "Ada", "tenants": [party.tenant, *others]})
    party.known["others"] = others
    return party


@pytest.fixture
def visit(chromium: Browser, address: str, pictures: Path | None, party: Party) -> Iterator[Callable[..., Visit]]:
    """Opens a browser window; nothing may go wrong in it, unless the person was told so."""
    contexts = []

    def open_window(**options: Any) -> Visit:
        context = chromium.new_context(locale="en-GB", reduced_motion="reduce", **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        return Visit(page, address, pictures, party)

    yield open_window
    for context in contexts:
        context.close()


def test_a_customer_connects_sees_a_night_disconnects_and_connects_again(
    company: Company, town: WorldClient, visit: Callable[..., Visit], party: Party
) -> None:
    ada = visit()
    ada.open()
    ada.look("sign-in", "Your Qonto transactions, in Xero every morning")
    ada.sign_in()
    ada.look("start", "Connect Xero")
    ada.page.get_by_role("link", name="Connect Xero").click()
    ada.look("name", "New connection")
    ada.page.get_by_label("Name of the connection").fill(NAME)
    ada.press("Continue to Xero")
    ada.let_in("Farolillo Libros", "Farolillo London", "Farolillo Norte")
    ada.look("choose", "Which Xero organisation?")
    _read_about_the_others(ada)
    ada.page.get_by_role("radio", name="Farolillo Libros").check()
    ada.press("Continue")
    ada.look("confirm", "Connect to Farolillo Libros?")
    ada.press("Connect")
    ada.look("finished", "Xero is connected")
    _wait_for_accounts(ada)

    first = [row["id"] for row in party.pay(*({"amount_cents": 10_00 + n} for n in range(20)))]
    at(town, processes.NIGHT)
    company.until_night_is_done()
    ada.sign_in()
    expect(ada.page.get_by_text("20 transactions sent")).to_be_visible()
    ada.look("connected", NAME)

    ada.page.get_by_role("link", name="Disconnect Xero").click()
    ada.look("disconnect", "Disconnect Farolillo Libros?")
    ada.press("Disconnect")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Connect Xero")
    _connect(ada, "Farolillo Libros")
    again = [row["id"] for row in party.pay(*({"amount_cents": 20_00 + n} for n in range(5)))]
    at(town, SECOND_NIGHT)
    company.until_night_is_done("2026-11-21")
    assert in_xero(party) == dict.fromkeys(first + again, 1)

    ada.sign_in()
    ada.page.get_by_role("link", name="Disconnect Xero").click()
    ada.press("Disconnect")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Connect Xero")
    town.control("POST", f"/xero/{party.known['others'][1]}/lock-date", {"period_lock_date": None})
    _connect(ada, "Farolillo Norte")
    fresh = [row["id"] for row in party.pay(*({"amount_cents": 30_00 + n} for n in range(4)))]
    at(town, THIRD_NIGHT)
    company.until_night_is_done("2026-11-22")
    assert in_xero(party) == dict.fromkeys(first + again, 1)
    elsewhere = Party(town, party.known | {"tenant_id": party.known["others"][1]})
    assert in_xero(elsewhere) == dict.fromkeys(fresh, 1)
    assert len([one for one in elsewhere.ledger()["accounts"] if one["type"] == "BANK"]) == 2


def _read_about_the_others(visit: Visit) -> None:
    """What connecting to the others would mean, and back."""
    for name, picture, warning in (
        ("Farolillo London", "confirm-currency", "does not have the currency EUR"),
        ("Farolillo Norte", "confirm-locked", "The books are locked until 31 December 2026."),
    ):
        visit.page.get_by_role("radio", name=name).check()
        visit.press("Continue")
        expect(visit.page.get_by_text(warning)).to_be_visible()
        visit.look(picture, f"Connect to {name}?")
        visit.page.go_back()


def _connect(visit: Visit, tenant: str) -> None:
    visit.page.get_by_role("link", name="Connect Xero").click()
    expect(visit.page.get_by_label("Name of the connection")).to_have_value(NAME)
    visit.press("Continue to Xero")
    visit.let_in(tenant)
    if visit.page.get_by_role("radio", name=tenant).count():  # Xero does not say which one this consent was for
        expect(visit.page.get_by_role("radio", name=tenant)).to_be_checked()
        visit.press("Continue")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text(f"Connect to {tenant}?")
    visit.press("Connect")
    _wait_for_accounts(visit)


def _wait_for_accounts(visit: Visit) -> None:
    """The page tells by itself, without anybody looking again; the clock leaps only while nobody works."""
    expect(visit.page.get_by_text("Transactions follow every night at 23:00.")).to_be_visible()
    expect(visit.page.get_by_text("in Xero", exact=True)).to_have_count(2)


def test_a_customer_who_may_not_or_will_not_or_cannot_is_told_what_to_do(
    company: Company, town: WorldClient, visit: Callable[..., Visit], party: Party
) -> None:
    max_, ada = visit(), visit()
    max_.sign_in("Max Planck, manager")
    max_.look("not-allowed", "Somebody else can do this")

    ada.sign_in()
    ada.page.get_by_role("link", name="Connect Xero").click()
    ada.press("Continue to Xero")
    ada.press("Cancel")
    ada.look("declined", "You declined access at Xero")
    ada.open("/xero/callback?state=guessed&code=guessed")
    ada.look("astray", "This cannot be continued")
    ada.open("/nowhere")
    ada.look("nothing-here", "There is nothing here")

    town.fault("status", status=503, match={"service": "qonto"})
    ada.open()
    ada.look("later", "Qonto or Xero does not answer")
    town.control("DELETE", "/faults")
    company.execute("ALTER TABLE connection RENAME TO connection_away")
    ada.open()
    ada.look("broken", "Something is broken on our side")
    company.execute("ALTER TABLE connection_away RENAME TO connection")


def test_a_customer_whose_connection_ails_is_told_what_to_do(
    company: Company, town: WorldClient, visit: Callable[..., Visit], party: Party
) -> None:
    ada = visit()
    ada.sign_in()
    ada.page.get_by_role("link", name="Connect Xero").click()
    ada.press("Continue to Xero")
    ada.let_in("Farolillo Libros")
    ada.press("Connect")
    _wait_for_accounts(ada)
    party.pay({"amount_cents": 5_00})
    town.control("POST", f"/xero/{party.tenant}/lock-date", {"period_lock_date": "2026-11-30"})
    at(town, processes.NIGHT)
    company.until_night_is_done()
    ada.sign_in()
    ada.look("attention", re.compile("Farolillo"))
    expect(ada.page.get_by_text("Its date is locked in Xero.")).to_be_visible()
    town.control("POST", f"/xero/{party.tenant}/disconnect", {})
    assert company.ask("sync", str(party.known["slug"])).code == 1
    ada.open()
    expect(ada.page.get_by_text("Needs reconnecting")).to_be_visible()
    ada.look("needs-reconnecting", re.compile("Farolillo"))
    ada.page.get_by_role("link", name="Reconnect Xero").click()
    ada.look("reconnect", "Reconnect Xero")
    ada.press("Continue to Xero")
    ada.let_in("Farolillo London")
    ada.press("Connect")
    ada.look("did-not-work", "This did not work")
    for worker in company.running("worker"):
        worker.end(signal.SIGTERM)
    ada.open("/disconnect")
    ada.press("Disconnect")
    ada.look("being-disconnected", re.compile("Farolillo"))
    expect(ada.page.get_by_text("Being disconnected")).to_be_visible()
    ada.press("Sign out")
    ada.open("/disconnect")
    ada.look("signed-out", "You are signed out")
    for _ in range(31):
        ada.open("/xero/callback")
    ada.look("too-often", "Too many tries")


@pytest.mark.parametrize("language", ["en", "fr", "es", "de", "it"])
def test_the_whole_way_can_be_gone_without_javascript_in_every_language(
    company: Company, town: WorldClient, visit: Callable[..., Visit], party: Party, language: str
) -> None:
    ada = visit(java_script_enabled=False)
    ada.open(f"/?lang={language}")
    assert ada.page.locator("html").get_attribute("lang") == language
    main = ada.page.locator("main")
    main.locator("button").click()
    ada.page.get_by_role("button", name="Continue as Ada Lovelace, owner").click()
    main.locator("a.button").click()
    main.locator("input#name").fill(NAME)
    main.locator("button").click()
    ada.let_in("Farolillo Libros", "Farolillo London")
    main.get_by_text("Farolillo Libros").click()
    main.locator("button:not(.quiet)").click()
    main.locator("form[action='/connect/confirm'] button").click()
    for _ in range(100):
        if main.locator(".state.live").count() == 2:
            break
        ada.page.goto(ada.address + "/connected")
    expect(main.locator(".state.live")).to_have_count(2)
    main.locator("a.button").click()
    main.locator("a[href='/disconnect']").click()
    main.locator("button.danger").click()
    assert ada.page.locator("html").get_attribute("lang") == language
    ended = "SELECT count(*) FROM connection WHERE ended_at IS NOT NULL"
    company.until(lambda: company.query(ended) == [(1,)], "the connection to end")
