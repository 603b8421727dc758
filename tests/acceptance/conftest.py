"""One sandbox for all journeys; for each a new day, a database of its own, and the same questions at its end."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from clients.http import Http
from models.database import close_connection, configure, connected
from models.database import database as proxy
from models.migrate import migrate
from services.access_tokens import RESTS_SECONDS
from tests.acceptance.browser import Browser
from tests.acceptance.page import PEOPLE, Person, open_site
from tests.acceptance.world import Company, Office, Row, World
from tests.canaries import Canaries
from tests.checker import reader
from tests.sandbox.world_client import running_world
from tests.servers.postgres import PostgresServer

FIRST_DAY = "2026-11-16T09:00:00Z"
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token whose answer is lost is asked for again without a rest: the world's clock stands still meanwhile."""
    monkeypatch.setattr("services.access_tokens.RESTS_SECONDS", (0.0,) * len(RESTS_SECONDS))


def _close_everything() -> None:
    close_connection()
    if hasattr(proxy.obj, "close_all"):
        proxy.obj.close_all()


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path | None:
    """Where pictures of the pages go: into docs/screenshots by `make pictures`; else none is taken."""
    named = request.config.getoption("--pictures")
    if not named:
        return None
    folder = Path(named)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def http() -> Http:
    """The connections to the sandbox, kept open between the journeys."""
    return Http()


@pytest.fixture(scope="session")
def shared_world(http: Http) -> Iterator[World]:
    with running_world("--frozen-at", FIRST_DAY, "--seed", "1") as url:
        yield World.at(url, http)


@pytest.fixture
def world(shared_world: World) -> Iterator[World]:
    """The world at noon of a new day, as it is when nobody meddles with it."""
    shared_world.restore()
    shared_world.new_day()
    yield shared_world
    shared_world.end_faults()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    configure(f"sqlite:///{path}")
    with connected():
        migrate()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    """A migrated PostgreSQL database to copy, to which nobody is connected."""
    with postgres_server.fresh_database() as name:
        configure(postgres_server.url_of(name))
        with connected():
            migrate()
        _close_everything()
        yield name


def _copy_sqlite(request: pytest.FixtureRequest) -> str:
    path = request.getfixturevalue("tmp_path") / "office.sqlite3"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest) -> str:
    """A migrated SQLite database of this journey's own."""
    return _copy_sqlite(request)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated database of this journey's own; `sqlite` alone where a test says so."""
    if request.param == "sqlite":
        return _copy_sqlite(request)
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def canaries(world: World) -> Canaries:
    """Every secret of the world from now on."""
    return Canaries(reader(world))


@pytest.fixture
def office(
    world: World, database_url: str, http: Http, canaries: Canaries, caplog: pytest.LogCaptureFixture
) -> Iterator[Office]:
    """Our own side of the world. The journey has failed unless the last questions are answered well, and its log is
    clean.
    """
    caplog.set_level(logging.INFO)
    configure(database_url)
    try:
        with connected():
            made = Office(world, database_url, http)
            yield made
            made.check()
    finally:
        _close_everything()  # or a journey that failed ends the next one with a warning
    assert canaries.seen_in([("the log", caplog.text)], words=True) == []


@pytest.fixture
def visitor(office: Office, canaries: Canaries) -> Iterator[Callable[..., Person]]:
    """Makes a person of a company, a new one unless it is named, with a browser and a login at Xero of their own.

    `books` describes the company's Xero organisation, which we have not been let into yet.
    """
    site = open_site(office)
    browsers: list[Browser] = []

    def make(
        company: Company | None = None, language: str = "en", books: Row | None = None, **description: Any
    ) -> Person:
        xero = {"user": uuid4().hex, "connected": False, "tenant_name": "Farolillo Libros", **(books or {})}
        browsers.append(Browser(site, language))
        made = company or office.company(**{"people": PEOPLE, "xero": xero, **description})
        return Person(browsers[-1], made, str(made.known["xero_user"]))

    yield make
    for browser in browsers:
        browser.close()
        pages = [(shown.address.partition("?")[0], f"{shown.html} {shown.headers}") for shown in browser.seen]
        assert canaries.seen_in(pages) == []
