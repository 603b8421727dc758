"""The operations page as it stands on a port: its login, its headers, and the night in a real browser."""

from __future__ import annotations

import base64
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

import metrics
from domain.reasons import sentence
from models.database import configure, connected
from services.view_night import view_night
from settings import Secret
from tests.acceptance.looking import look
from tests.acceptance.processes import Company
from tests.acceptance.staged_night import AT, stage_night
from tests.acceptance.world import Office, receives, spends
from tests.servers.processes import free_ports
from tests.unit.test_operations_login import basic
from web.exchange import Asked
from web.operations.login import WRONG_TRIES
from web.operations.site import OperationsSite
from web.server import Server

pytestmark = pytest.mark.acceptance

NAME, PASSWORD = "ada", "correct horse battery"
LOGIN = (NAME, PASSWORD)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here."""
    return sqlite_url


@pytest.fixture(scope="module")
def staged_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with a staged night, which everybody only looks at."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('staged') / 'staged.sqlite3')}"
    configure(url)
    with connected():
        stage_night()
    return url


@pytest.fixture
def address(staged_url: str) -> Iterator[str]:
    """Where the page of a staged night listens."""
    configure(staged_url)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stop, ready = Event(), Event()
    server = Server(OperationsSite(lambda: AT, Secret(PASSWORD), "127.0.0.1"))
    thread = Thread(target=server.run, args=("127.0.0.1", port, stop, ready))
    thread.start()
    assert ready.wait(200)
    yield f"http://127.0.0.1:{port}"
    stop.set()
    thread.join()


def ask(method: str, url: str, **more: Any) -> requests.Response:
    return requests.request(method, url, timeout=200, allow_redirects=False, **more)


def test_who_gives_no_password_or_a_wrong_one_sees_nothing_and_learns_nothing(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/", "/nowhere"):
        for login in (None, (NAME, PASSWORD + "x"), ("", PASSWORD)):
            answer = ask("GET", address + path, auth=login)

            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
            assert "organisation" not in answer.text
            assert_careful(answer)
    assert PASSWORD not in caplog.text


def test_too_many_wrong_passwords_have_to_wait(address: str) -> None:
    tries = [ask("GET", address, auth=(NAME, "guessed")).status_code for _ in range(WRONG_TRIES)]

    one_more = ask("GET", address, auth=(NAME, "guessed"))

    assert set(tries) == {401}
    assert (one_more.status_code, one_more.headers["Retry-After"]) == (429, "60")
    assert_careful(one_more)
    assert ask("GET", address, auth=LOGIN).status_code == 200


def test_who_looks_is_in_the_log_and_the_password_is_not(address: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        answer = ask("GET", address, auth=LOGIN)

    assert answer.status_code == 200
    assert f"{NAME} looks at /" in caplog.text
    assert PASSWORD not in caplog.text
    assert_careful(answer)


def assert_careful(answer: requests.Response) -> None:
    """No script at all, framed by nobody, kept nowhere, no cookie."""
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == policy["form-action"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "Set-Cookie" not in answer.headers
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/", 405), ("DELETE", "/", 405), ("GET", "/nowhere", 404), ("GET", "/connect", 404)],
)
def test_there_is_one_page_which_is_only_looked_at(address: str, method: str, path: str, status: int) -> None:
    answer = ask(method, address + path, auth=LOGIN, data={"a": "b"} if method == "POST" else None)

    assert answer.status_code == status
    assert 'href="/"' in answer.text
    assert_careful(answer)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("localhost:9999", 200),
        ("127.0.0.1", 200),
        ("[::1]:8090", 200),
        ("evil.example", 421),
        ("127.0.0.1.nip.io", 421),
    ],
)
def test_on_this_machine_the_page_goes_by_this_machine_s_names_only(address: str, name: str, status: int) -> None:
    assert ask("GET", address, auth=LOGIN, headers={"Host": name}).status_code == status


def test_elsewhere_the_page_goes_by_whatever_name_its_people_gave_it() -> None:
    site = OperationsSite(lambda: AT, Secret(PASSWORD), "0.0.0.0")

    assert site.goes_by("operations.example.com")


def test_prometheus_is_told_of_each_look(address: str) -> None:
    before = _looks()
    ask("GET", address, auth=LOGIN)

    assert _looks() == before + 1


def _looks() -> float:
    told = metrics.exposition().decode()
    found = re.search(r'page_requests_total\{code="200",method="GET",route="/"\} ([0-9.]+)', told)
    return float(found[1]) if found else 0.0


@pytest.fixture
def window(chromium: Browser, address: str) -> Iterator[Page]:
    """A browser's window whose person knows the password; nothing may go wrong in it."""
    context = chromium.new_context(http_credentials={"username": NAME, "password": PASSWORD})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address + "/?still")
    yield page
    context.close()
    assert complaints == []


def test_those_who_run_it_see_the_night_as_a_picture(window: Page, pictures: Path | None) -> None:
    """On a desk, on a phone and in the dark, with the figures that the night has."""
    with connected():
        tonight = view_night(AT).tonight
    assert tonight is not None

    look(window, "operations", pictures)

    title = f"{tonight.states['done']} of {tonight.total} organisations done"
    expect(window.get_by_role("heading", level=1)).to_have_text(title)
    window.get_by_text("The numbers").click()
    cells = window.get_by_role("row", name="20 November").get_by_role("cell").all_inner_texts()
    assert cells == [str(tonight.states["done"]), "0", "1", "35", "0", "70.0\u202f%"]
    window.emulate_media(color_scheme="dark")
    assert Axe().run(window).response["violations"] == []


def test_a_night_that_was_lived_through_is_told_as_it_was(office: Office) -> None:
    company, locked = office.connected(), office.connected("Farolillo Norte SL")
    company.moves(receives(125_000), spends(4_730))
    [held] = locked.moves(spends(1))
    locked.missing[held] = "held: lock_date"
    locked.in_xero("lock-date", {"period_lock_date": "2099-01-01"})
    office.night()
    view = view_night(office.workbench.clock())
    site = OperationsSite(office.workbench.clock, Secret(PASSWORD), "127.0.0.1")
    asked = Asked(site.routes[0], "/", basic(NAME, PASSWORD), {}, {}, {}, "192.0.2.1", "reference")

    with ThreadPoolExecutor(1) as elsewhere:
        told = elsewhere.submit(site.serve, asked).result()

    assert (tonight := view.tonight) is not None
    assert (tonight.states["done"], tonight.posted, view.postings["held"]) == (2, 2, 1)
    assert "<h1>All 2 organisations done</h1>" in told.body
    assert "<dt>Transactions sent</dt><dd>2</dd>" in told.body
    assert [problem.sentence for problem in view.problems if problem.sentence in told.body] == [sentence("lock_date")]
    assert "2 of 2 in time</title>" in told.body


@pytest.fixture
def company(sqlite_url: str, tmp_path: Path) -> Iterator[Company]:
    """Our own side, without a world around it."""
    keys = f"key:{base64.b64encode(bytes(32)).decode()}"
    made = Company(tmp_path, {"DATABASE_URL": sqlite_url, "ENCRYPTION_KEYS": keys})
    yield made
    made.close()


def test_the_command_serves_the_page_until_it_is_told_to_stop(company: Company) -> None:
    [port] = free_ports(1)
    refused = company.run("operations", "--port", str(port))
    company.settings["OPERATIONS_PASSWORD"] = PASSWORD
    process = company.start("operations", "--port", str(port))
    company.until(lambda: "listens" in process.log() or not process.is_running(), "the page to listen")

    answer = ask("GET", f"http://localhost:{port}", auth=LOGIN)

    assert (refused.code, refused.err.startswith("Error: QONTO_XERO_OPERATIONS_PASSWORD is not set")) == (4, True)
    assert (answer.status_code, "No organisation is connected" in answer.text) == (200, True)
    process.end(signal.SIGTERM)
    assert process.exit_code == 0
    assert PASSWORD not in process.log()
