"""A person in front of the page: they sign in at Qonto, say yes or no at Xero, and come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.organisation import Connection
from models.states import ConnectionState
from tests.acceptance.browser import Browser, Shown, elsewhere, path_of, press_elsewhere
from tests.acceptance.world import Company, Office, Row
from web.site import Site

WEB_URL = "http://localhost:8080"
NAME = "Our books"
PEOPLE = [
    {"first_name": "Ada", "last_name": "Lovelace", "role": "owner"},
    {"first_name": "Adam", "last_name": "Riese", "role": "admin"},
    {"first_name": "Rita", "last_name": "Levi", "role": "reporting"},
    {"first_name": "Luca", "last_name": "Pacioli", "role": "accountant"},
    {"first_name": "Max", "last_name": "Planck", "role": "manager"},
    {"first_name": "Emmy", "last_name": "Noether", "role": "employee"},
]


@dataclass
class Person:
    """Somebody of a company, with a browser of their own. `user` is what Xero calls them."""

    browser: Browser
    company: Company
    user: str

    # At Qonto.

    def go_to_qonto(self) -> str:
        """Ask to sign in; where that leads."""
        return self.browser.press(self.browser.get("/"), "Sign in with Qonto").away

    def sign_in(self, role: str = "owner") -> Shown:
        """Sign in as whoever has this role in the company; what the page shows then."""
        return self.browser.get(self.qonto_says_yes(self.go_to_qonto(), role))

    def qonto_says_yes(self, away: str, role: str = "owner") -> str:
        """Sign in at Qonto; where the browser is sent back to."""
        back = press_elsewhere(elsewhere(away), "Refuse", person=self.person(role)["id"], decision="")
        return path_of(back)

    def person(self, role: str) -> Row:
        return next(one for one in self.company.known["people"] if one["role"] == role)

    def owner_becomes(self, **changes: str) -> None:
        """What a colleague changes about the owner."""
        self.company.at_qonto(f"people/{self.person('owner')['id']}", changes)

    # At Xero.

    def go_to_xero(self, name: str = NAME) -> str:
        """Name a new connection, and go on; where that leads."""
        return self.browser.press(self.browser.get("/connect"), "Continue to Xero", name=name).away

    def xero_says_yes(self, away: str, *tenants: str) -> str:
        """Log in and let us into these organisations, the company's own if none is named; where the browser is sent."""
        login = elsewhere(away)
        chosen = [tenant for tenant in tenants or (self.company.tenant,) if tenant]
        return path_of(press_elsewhere(login, "Log in", user=self._user(), decision="allow", tenant=chosen))

    def xero_says_no(self, away: str) -> str:
        return path_of(press_elsewhere(elsewhere(away), "Cancel"))

    def reaches(self, *tenants: str) -> None:
        """Their login at Xero may connect these organisations."""
        self.company.world.sandbox.post("/xero/users", {"name": self.user, "tenants": list(tenants)})

    def _user(self) -> str:
        users = self.company.world.sandbox.get("/xero/users")["users"]
        return str(next(one["id"] for one in users if one["name"] == self.user))

    def consent(self, *tenants: str, name: str = NAME) -> Shown:
        """Name a connection and say yes at Xero; what the page asks then."""
        return self.browser.get(self.xero_says_yes(self.go_to_xero(name), *tenants))

    def connect(self, *tenants: str, name: str = NAME) -> Shown:
        """The whole way, to one organisation."""
        return self.browser.press(self.consent(*tenants, name=name), "Connect")

    def disconnect(self) -> Shown:
        return self.browser.press(self.browser.get("/disconnect"), "Disconnect", reason="we move")


Visitor = Callable[..., Person]


def follow(office: Office, person: Person) -> None:
    """From now on a journey's last questions are asked of this company too."""
    company = person.company
    company.connection_id = Connection.get(
        (Connection.organisation_id == company.id) & (Connection.state != ConnectionState.DISCONNECTED)
    ).id
    company.starts_at = company.starts_at or company.connection.starts_at
    if company not in office.companies:
        office.companies.append(company)


def connected(office: Office, person: Person) -> Person:
    """Somebody who has signed in and connected just now."""
    person.sign_in()
    person.connect()
    follow(office, person)
    return person


def open_site(office: Office) -> Site:
    return Site(office.workbench, WEB_URL)
