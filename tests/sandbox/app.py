"""An app that sends people to a provider of the world, and what a browser without JavaScript sees there."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from tests.sandbox.world_client import WorldClient

VERIFIER = "an-unguessable-text-of-at-least-43-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
BACK = "https://app.example/back?from=bank"
STATE = "s t&a=te"


@dataclass
class App:
    """A registered client; `None` leaves a parameter out of what it sends."""

    world: WorldClient
    client_id: str
    secret: str
    authorize_path: str
    token_path: str
    scope: str

    def address(self, **changes: str | None) -> str:
        """Where it sends a browser."""
        asked = {
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "scope": self.scope,
            "response_type": "code",
            "state": STATE,
            **changes,
        }
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{self.authorize_path}?{query}"

    def open(self, **changes: str | None) -> requests.Response:
        """The page that a person sees first, or the redirect instead of it."""
        return self.world.call("GET", self.address(**changes), allow_redirects=False)

    def submit(self, fields: Any, **changes: str | None) -> requests.Response:
        """A form of that page, sent."""
        return self.world.call("POST", self.address(**changes), data=fields, allow_redirects=False)

    def answer(self, fields: Any, **changes: str | None) -> dict[str, str]:
        """What the app is told in the redirect after a decision."""
        return told(self.submit(fields, **changes))

    def redeem(self, code: str, **changes: str | None) -> requests.Response:
        """A code for tokens."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, **self.as_client(), **changes}
        return self.world.call("POST", self.token_path, data=form)

    def as_client(self) -> dict[str, str | None]:
        """How it names itself in a body."""
        return {"client_id": self.client_id, "client_secret": self.secret}


def qonto_app(world: WorldClient) -> App:
    return App(
        world,
        client_id="sandbox-qonto-client",
        secret="sandbox-qonto-secret",
        authorize_path="/qonto/oauth2/auth",
        token_path="/qonto/oauth2/token",
        scope="offline_access organization.read membership.read",
    )


def xero_app(world: WorldClient) -> App:
    return App(
        world,
        client_id="sandbox-xero-client",
        secret="sandbox-xero-secret",
        authorize_path="/identity/connect/authorize",
        token_path="/identity/connect/token",
        scope="openid profile email offline_access accounting.settings accounting.banktransactions accounting.contacts",
    )


def told(answer: requests.Response) -> dict[str, str]:
    """The query of a redirect."""
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


class Page(HTMLParser):
    """The texts of a page's buttons and labels by the value each of them sends, in their order."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        self.buttons: dict[str, str] = {}
        self.choices: dict[str, str] = {}
        self.kinds: set[str] = set()
        self.checked: list[str] = []
        self._values: dict[str, str] = {}
        self._into: tuple[dict[str, str], str] | None = None
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "input" and given["type"] != "hidden":
            self._values[given["id"]] = given["value"]
            self.kinds.add(given["type"])
            self.checked += [given["value"]] if "checked" in given else []
        if tag == "button":
            self._into = (self.buttons, given["value"])
        if tag == "label":
            self._into = (self.choices, self._values[given["for"]])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("button", "label"):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            texts, value = self._into
            texts[value] = texts.get(value, "") + data.replace("\n", " ")
