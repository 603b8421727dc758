"""A browser without a screen: cookies, forms, links and redirects, over a site that runs in this process."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin, urlsplit

import requests

from web.exchange import Asked, Told
from web.site import ROUTES, SESSION_COOKIE, Site

MOST_REDIRECTS = 5
VOID = {"input", "meta", "link", "img", "br"}


@dataclass
class Form:
    """A form as it would be sent: `fields` are those that are filled in, by name; `buttons` its buttons' values."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    offered: dict[str, list[str]] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Reads the forms, the links and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.heading = ""
        self._open: Form | None = None
        self._tag: tuple[str, dict[str, str]] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(told.get("action", ""), told.get("method", "get").lower())
            self.forms.append(self._open)
        elif tag in {"input", "option"} and self._open is not None:
            self._fill_in(told)
        elif tag in {"a", "button", "h1"}:
            self._tag, self._text = (tag, told), ""

    def _fill_in(self, told: dict[str, str]) -> None:
        assert self._open is not None
        name, value = told.get("name", ""), told.get("value", "")
        if "disabled" in told:
            return
        self._open.offered.setdefault(name, []).append(value)
        if told.get("type") not in {"radio", "checkbox"} or "checked" in told:
            self._open.fields.setdefault(name, []).append(value)

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if self._tag is None or self._tag[0] != tag:
            return
        text, told = " ".join(self._text.split()), self._tag[1]
        if tag == "a":
            self.links[text] = told.get("href", "")
        elif tag == "h1":
            self.heading = text
        elif self._open is not None:
            self._open.buttons[text] = (told.get("name", ""), told.get("value", ""))
        self._tag = None


@dataclass
class Shown:
    """What a browser shows, and how it got there. `away` is where another site would go on."""

    status: int
    address: str
    html: str
    headers: Mapping[str, str]
    away: str = ""

    @property
    def reader(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.html)
        return reader

    @property
    def heading(self) -> str:
        return self.reader.heading

    def form(self, button: str) -> Form:
        """The form with this button."""
        return next(form for form in self.reader.forms if button in form.buttons)

    def has_button(self, text: str) -> bool:
        return any(text in form.buttons for form in self.reader.forms)


class Browser:
    """One person's browser. `cookies` are those of our site."""

    def __init__(self, site: Site, language: str = "en") -> None:
        self._site = site
        self._thread = ThreadPoolExecutor(1)
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {"Accept-Language": language, "Sec-Fetch-Site": "same-origin"}
        self.peer = "192.0.2.1"
        self.seen: list[Shown] = []

    @property
    def session(self) -> str:
        return self.cookies.get(SESSION_COOKIE, "")

    def get(self, address: str) -> Shown:
        """Go to an address of our site, and on wherever it leads within it."""
        for _ in range(MOST_REDIRECTS):
            shown = self.ask("GET", address)
            if shown.away or shown.status != 303:
                return shown
            address = shown.headers["Location"]
        raise AssertionError(f"it leads in circles: {address}")

    def post(self, address: str, form: Mapping[str, str]) -> Shown:
        """Send a form as it is, and follow where it leads."""
        shown = self.ask("POST", address, form)
        return self.get(shown.headers["Location"]) if shown.status == 303 and not shown.away else shown

    def press(self, shown: Shown, button: str, **filled: str) -> Shown:
        """Fill in a page's form, and press its button."""
        form = shown.form(button)
        told = {name: values[-1] for name, values in form.fields.items()} | filled
        return self.post(form.action, told)

    def follow(self, shown: Shown, link: str) -> Shown:
        return self.get(shown.reader.links[link])

    def ask(self, method: str, address: str, form: Mapping[str, str] | None = None) -> Shown:
        """One request and its answer, redirect or not."""
        parts = urlsplit(address)
        route = next((r for r in ROUTES if (r.method, r.path) == (method, parts.path)), None)
        asked = Asked(
            route=route,
            path=parts.path,
            headers=self.headers,
            cookies=dict(self.cookies),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            form=form or {},
            peer=self.peer,
            reference="reference",
        )
        told: Told = self._thread.submit(self._site.serve, asked).result()
        for name, value in told.cookies.items():
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value
        location = told.headers.get("Location", "")
        shown = Shown(told.status, address, told.body, told.headers, location if "://" in location else "")
        self.seen.append(shown)
        return shown

    def close(self) -> None:
        self._thread.shutdown()


def elsewhere(address: str) -> Shown:
    """A page of the sandbox's Qonto or Xero."""
    answer = requests.get(address, timeout=200, allow_redirects=False)
    return Shown(answer.status_code, address, answer.text, answer.headers, answer.headers.get("Location", ""))


def press_elsewhere(shown: Shown, button: str, **filled: Any) -> str:
    """Fill in a form of the sandbox and press its button; where it sends the browser then."""
    form = shown.form(button)
    name, value = form.buttons[button]
    told = form.fields | ({name: value} if name else {}) | filled
    action = urljoin(shown.address, form.action)
    answer = requests.post(action, data=told, timeout=200, allow_redirects=False)
    return answer.headers.get("Location", "") or answer.text


def path_of(address: str) -> str:
    """An address of our site without its host."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def query_of(address: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}


def with_query(address: str, **changes: str | None) -> str:
    """The same path with other values in its query; `None` takes one out."""
    parts = urlsplit(address)
    query = {name: value for name, value in {**query_of(address), **changes}.items() if value is not None}
    return f"{parts.path}?{urlencode(query)}"
