"""The one database of the process: SQLite on one machine, PostgreSQL for real, the same code on both."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import psycopg
from peewee import (
    Database,
    DatabaseError,
    DatabaseProxy,
    Field,
    IntegrityError,
    InterfaceError,
    Model,
    OperationalError,
    SqliteDatabase,
)
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase
from psycopg.conninfo import conninfo_to_dict

from settings import SettingsError

POOL_WAIT_SECONDS = 10  # longer than any of our transactions, shorter than a person's patience
IDLE_SECONDS = 300  # give a connection back before a load balancer silently forgets it
PLANS = "-c jit=off -c enable_seqscan=off -c plan_cache_mode=force_generic_plan"  # short reads by key, planned once
LOCK_WAIT_SECONDS = 30  # SQLite has one writer; a night on one machine queues behind it

database = DatabaseProxy()

if TYPE_CHECKING:
    MomentField = Field[Any]
else:  # generic in peewee's type stubs only
    MomentField = Field


class DatabaseUnreachable(Exception):
    """The database cannot be used; the message names where it was looked for, never a password."""


NotUnique = IntegrityError  # what a unique index says to whoever comes second
DATABASE_OUTAGE = (DatabaseUnreachable, OperationalError, InterfaceError)  # what an absent database raises


class UtcField(MomentField):
    """A moment, always in UTC: `timestamptz` on PostgreSQL, fixed-width ISO text (which sorts) on SQLite."""

    field_type = "TIMESTAMPTZ"

    def db_value(self, value: Any) -> Any:
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(f"{self.name} needs a time zone: {value!r}")
        return value

    def python_value(self, value: Any) -> Any:
        return read_moment(value)


class Table(Model):
    """What every table shares: the process's database and snake_case names."""

    class Meta:
        database = database
        legacy_table_names = False


def configure(url: str, pool_size: int = 10) -> None:
    """Point every table at `url`: `sqlite:///relative.file`, `sqlite:////absolute.file` or `postgresql://...`.

    Opens nothing yet. `pool_size` is the most connections this process will hold on PostgreSQL.
    Raises SettingsError for a URL of another kind, or one that holds an unencoded password.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and parts.path.strip("/"):
        database.initialize(_sqlite(parts.path[1:]))
    elif parts.scheme in {"postgresql", "postgres"}:
        _check_postgresql(url)
        database.initialize(_postgresql(url, pool_size))
    else:
        raise SettingsError(
            "QONTO_XERO_DATABASE_URL is neither sqlite:///file nor postgresql://user:password@host:port/name"
        )


@contextmanager
def connected() -> Iterator[None]:
    """A connection for this thread, given back at the end. Raises DatabaseUnreachable when there is none."""
    open_connection()
    try:
        yield
    finally:
        close_connection()


def open_connection() -> None:
    """Take a connection for this thread, unless it has one. Raises DatabaseUnreachable."""
    try:
        database.connect(reuse_if_open=True)
    except (DatabaseError, InterfaceError, MaxConnectionsExceeded) as error:
        raise DatabaseUnreachable(f"cannot reach the database {where()}: {_first_line(error)}") from error


def close_connection() -> None:
    """Give this thread's connection back to the pool, if it has one."""
    if not database.is_closed():
        database.close()


@contextmanager
def transaction() -> Iterator[None]:
    """All or nothing. On SQLite it takes the one write lock at once, so that it cannot deadlock halfway.

    Read a query to its end before you open one: SQLite cannot turn a half-read snapshot into a writer.
    """
    with database.atomic("IMMEDIATE") if is_sqlite() else database.atomic():
        yield


@contextmanager
def trial() -> Iterator[None]:
    """A transaction in which everything may be done, and of which nothing remains."""
    with database.atomic("IMMEDIATE") if is_sqlite() else database.atomic() as tried:
        yield
        tried.rollback()


def without_waiting_for_disk() -> None:
    """In this transaction: a crash of the database may forget it, if nothing later waited. Never for what was sent."""
    if not is_sqlite():
        database.execute_sql("SET LOCAL synchronous_commit TO off")


def where() -> str:
    """Which database this is, in words that hold no secret."""
    name = str(database.database)
    if is_sqlite():
        return f"file {name}"
    parts = urlsplit(name)
    return f"{parts.path.lstrip('/')} at {parts.hostname or 'localhost'}:{parts.port or 5432}"


def is_sqlite() -> bool:
    return isinstance(database.obj, SqliteDatabase)


def ask_anything() -> None:
    """Raises one of DATABASE_OUTAGE unless the database answers."""
    database.execute_sql("SELECT 1").fetchone()


def may_read(table: type[Table]) -> bool:
    """Whether this process's role may read a table; a file is read whole or not at all."""
    question = "SELECT has_table_privilege(%s, 'SELECT')"
    return is_sqlite() or bool(database.execute_sql(question, (table._meta.table_name,)).fetchone()[0])


def database_time() -> datetime:
    """The database's own clock in UTC: what leases and waiting windows are measured by."""
    question = "SELECT strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')" if is_sqlite() else "SELECT clock_timestamp()"
    moment: datetime = read_moment(database.execute_sql(question).fetchone()[0])
    return moment


def read_moment(value: Any) -> Any:
    """A stored moment as an aware datetime in UTC; `None` stays `None`."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _sqlite(path: str) -> Database:
    sqlite3.register_adapter(datetime, lambda moment: moment.astimezone(UTC).isoformat(" ", "microseconds"))
    sqlite3.register_adapter(date, date.isoformat)
    pragmas = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": "full"}
    return SqliteDatabase(unquote(path), pragmas=pragmas, timeout=LOCK_WAIT_SECONDS)


def _check_postgresql(url: str) -> None:
    """An unencoded `/`, `@` or `%` of the password would turn up as host or port, and so in messages."""
    try:
        conninfo_to_dict(url)
        fits = urlsplit(url).port != 0 and "@" not in urlsplit(url).path
    except (ValueError, psycopg.Error):
        fits = False
    if not fits:
        raise SettingsError(
            "QONTO_XERO_DATABASE_URL is not postgresql://user:password@host:port/name:"
            " percent-encode what is special in the password"
        )


def _postgresql(url: str, pool_size: int) -> Database:
    pool: Database = PooledPostgresqlDatabase(
        url,
        prefer_psycopg3=True,
        max_connections=pool_size,
        stale_timeout=IDLE_SECONDS,
        timeout=POOL_WAIT_SECONDS,
        connect_timeout=5,
        prepare_threshold=1,  # the second time that a connection says something, it is prepared
        options=f"-c timezone=UTC -c lock_timeout=30s {PLANS}",
    )
    return pool


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
