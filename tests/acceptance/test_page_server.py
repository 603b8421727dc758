"""The page as it stands on a port: its name, its headers, its sizes, and what it says when nothing is there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
import requests

from tests.acceptance.world import Office
from web.server import MOST_BYTES, Server
from web.site import ROUTES, Site

STATIC = ("/static/style.css", "/static/progress.js", "/static/mark.svg")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here."""
    return sqlite_url


@pytest.fixture
def address(office: Office) -> Iterator[str]:
    """Where the page listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stop, ready = Event(), Event()
    url = f"http://localhost:{port}"
    server = Thread(target=Server(Site(office.workbench, url)).run, args=("127.0.0.1", port, stop, ready))
    server.start()
    assert ready.wait(200)
    yield url
    stop.set()
    server.join()


def ask(method: str, url: str, **more: Any) -> requests.Response:
    return requests.request(method, url, timeout=200, allow_redirects=False, **more)


@pytest.mark.parametrize(("method", "path"), [*((r.method, r.path) for r in ROUTES), ("GET", "/nowhere")])
def test_every_answer_tells_the_browser_to_be_careful(address: str, method: str, path: str) -> None:
    answer = ask(method, address + path)

    assert answer.headers["Cache-Control"] == "no-store"
    assert_careful(answer)


@pytest.mark.parametrize("path", STATIC)
def test_what_never_changes_may_be_kept_and_is_as_careful(address: str, path: str) -> None:
    answer = ask("GET", address + path)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert_careful(answer)


def assert_careful(answer: requests.Response) -> None:
    """ASVS 3.4 and 14.3.2."""
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    # Browsers hold every redirect behind a form to this, and Qonto and Xero send people on to hosts of their own.
    own, secure, sandbox = policy["form-action"].split()
    assert (own, secure) == ("'self'", "https:")
    assert sandbox.startswith("http://127.0.0.1:")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_cookie_of_a_session_is_for_this_site_alone_and_no_script_sees_it(address: str) -> None:
    answer = ask("POST", f"{address}/sign-in", data={"form_token": ""})

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert {part.strip() for part in cookie.split(";")[1:]} == {"HttpOnly", "Path=/", "SameSite=Lax", "Secure"}


def test_under_another_name_nothing_is_served(address: str) -> None:
    answer = ask("GET", address, headers={"Host": "evil.example"})

    assert answer.status_code == 421
    assert "Qonto" not in answer.text
    assert_careful(answer)


@pytest.mark.parametrize("path", ["/disconnect", "/connect/confirm", "/sign-in", "/sign-out"])
def test_what_changes_something_is_not_done_by_following_a_link(address: str, path: str) -> None:
    """GET /disconnect asks; the others have no page of their own."""
    assert ask("GET", address + path).status_code in {401, 405}
    assert ask("DELETE", address + path).status_code == 405
    assert "POST" in ask("DELETE", address + path).headers["Allow"]


def test_a_form_that_is_too_large_is_not_read(address: str) -> None:
    answer = ask("POST", f"{address}/connect", data={"name": "x" * MOST_BYTES})

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=none",
        "a/b",
    ],
)
def test_what_is_no_form_of_ours_is_refused_with_a_page(address: str, content_type: str) -> None:
    answer = ask("POST", f"{address}/connect", data=b"--x\r\nname=\xff", headers={"Content-Type": content_type})

    assert answer.status_code in {400, 415}
    assert "Start again" in answer.text
    assert_careful(answer)


@pytest.mark.parametrize(
    ("path", "cookie"),
    [("/connect/confirm?attempt=%00&tenant=%00", ""), ("/xero/callback?state=%00&code=%ff", ""), ("/", "\u00ff\u0080")],
)
def test_bytes_that_nobody_types_do_no_harm(address: str, path: str, cookie: str) -> None:
    session = f"__Host-session={cookie or 'x'}".encode("latin-1")

    assert ask("GET", address + path, headers={"Cookie": session}).status_code in {200, 400, 401}


def test_an_address_that_leads_nowhere_is_answered_with_a_page(address: str) -> None:
    answer = ask("GET", f"{address}/<script>alert(1)</script>", headers={"Accept-Language": "fr"})

    assert answer.status_code == 404
    assert "<script>" not in answer.text
    assert 'lang="fr"' in answer.text


def test_a_file_outside_is_not_served(address: str) -> None:
    for path in ("/static/..%2fserver.py", "/static/../site.py", "/static/nothing.css"):
        assert ask("GET", address + path).status_code == 404
