"""A migrated database for each test, once on SQLite and once on PostgreSQL, and threads that start at one moment."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest

from models.database import close_connection, configure, connected
from models.database import database as proxy
from models.migrate import migrate
from models.posting import Posting
from tests.factories import make_bank_account, make_connection, make_posting
from tests.servers.postgres import PostgresServer

AtOnce = Callable[[Sequence[Callable[[], Any]]], list[Any]]
Point = Callable[[str], None]

FORGET_EVERYTHING = """
    SET session_replication_role = replica;  -- whoever points at whom
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT tablename FROM pg_tables
            WHERE schemaname = 'public' AND tablename <> 'schema_migration'
        LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
    END $$
"""
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)]


def _close_everything() -> None:
    close_connection()
    if hasattr(proxy.obj, "close_all"):
        proxy.obj.close_all()


@pytest.fixture
def point_at() -> Iterator[Point]:
    """Points the process at a database; whatever it opened there is closed after the test."""
    yield configure
    _close_everything()


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


@pytest.fixture
def copied_sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a migrated SQLite file of this test's own."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'test.sqlite3')}"


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A migrated PostgreSQL that every test leaves empty: quicker than a new one for each."""
    with postgres_server.fresh_database(template=postgres_template) as name:
        yield postgres_server.url_of(name)


@pytest.fixture
def emptied_postgres_url(shared_postgres_url: str) -> Iterator[str]:
    """The shared PostgreSQL, without a row before the test and after it."""
    yield shared_postgres_url
    _close_everything()
    with psycopg.connect(shared_postgres_url) as connection:
        connection.execute(FORGET_EVERYTHING)


@pytest.fixture(params=BOTH)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path, point_at: Point) -> Iterator[str]:
    """The address of a database without a table, to which this thread is connected."""
    if request.param == "sqlite":
        point_at(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
        with connected():
            yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.fresh_database() as name:
        point_at(server.url_of(name))
        with connected():
            yield server.url_of(name)
        _close_everything()


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, point_at: Point) -> Iterator[str]:
    """The address of a migrated database without a row, to which this thread is connected."""
    url: str = request.getfixturevalue("emptied_postgres_url" if request.param == "postgresql" else "copied_sqlite_url")
    point_at(url)
    with connected():
        yield url


@pytest.fixture(params=BOTH)
def own_database(request: pytest.FixtureRequest, point_at: Point) -> Iterator[str]:
    """The address of a migrated database that a test may change or break, to which this thread is connected."""
    url: str = request.getfixturevalue("postgres_url" if request.param == "postgresql" else "copied_sqlite_url")
    point_at(url)
    with connected():
        yield url
    _close_everything()


@pytest.fixture
def postgresql(emptied_postgres_url: str, point_at: Point) -> Iterator[str]:
    """A migrated PostgreSQL without a row, for what only a server with many writers can show."""
    point_at(emptied_postgres_url)
    with connected():
        yield emptied_postgres_url


@pytest.fixture
def at_once() -> AtOnce:
    """Makes calls at the same moment, each in a thread with a connection of its own; their results in order."""

    def run(calls: Sequence[Callable[[], Any]]) -> list[Any]:
        barrier = Barrier(len(calls))

        def one(call: Callable[[], Any]) -> Any:
            with connected():
                barrier.wait(30)
                return call()

        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(one, calls))

    return run


@pytest.fixture
def make_postings(database: str) -> Callable[..., list[Posting]]:
    """Postings of one connection and account, one for each dictionary of changes."""

    def make(*changes: dict[str, Any]) -> list[Posting]:
        connection = make_connection()
        account = make_bank_account(organisation_id=connection.organisation_id)
        return [make_posting(connection=connection, bank_account_id=account.id, **change) for change in changes]

    return make
