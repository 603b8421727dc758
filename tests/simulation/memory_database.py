"""One SQLite in memory for all seeds and all workers: its transactions and statements are steps."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from peewee import SqliteDatabase

from models.database import configure
from models.database import database as proxy
from models.migrate import migrate

WRITES = re.compile(r"\s*(UPDATE|INSERT INTO|WITH)\b.*\bposting", re.DOTALL)
PRAGMAS = {"foreign_keys": 1, "synchronous": 0, "journal_mode": "memory", "temp_store": "memory"}


def _nothing() -> None:
    return None


class MemoryDatabase(SqliteDatabase):
    """`before` is called before each transaction and each statement outside one; never inside one.

    `before_commit` is called at the end of a transaction that wrote postings or batches.
    """

    def __init__(self) -> None:
        super().__init__(":memory:", thread_safe=False, check_same_thread=False, pragmas=PRAGMAS)
        self.before: Callable[[], None] = _nothing
        self.before_commit: Callable[[], None] = _nothing
        self._wrote = False

    def begin(self, lock_type: str | None = None) -> None:
        self.before()
        self._wrote = False
        super().begin(lock_type)

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        if self.transaction_depth() == 0:
            self.before()
        elif not self._wrote and WRITES.match(sql):
            self._wrote = True
        return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]

    def commit(self) -> Any:
        if self._wrote:
            self._wrote = False
            self.before_commit()
        return super().commit()

    def raw(self) -> sqlite3.Connection:
        """For those who look without being seen: no step, no peewee."""
        connection: sqlite3.Connection = self.connection()  # type: ignore[no-untyped-call]
        return connection

    def empty(self) -> None:
        """Forget everything but the schema."""
        self.before = self.before_commit = _nothing
        raw = self.raw()
        raw.rollback()  # of a seed that ended in the middle of one
        raw.execute("PRAGMA foreign_keys = 0")
        for name in self._tables():
            raw.execute(f'DELETE FROM "{name}"')
        raw.execute("PRAGMA foreign_keys = 1")

    def _tables(self) -> list[str]:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%migration%'"
        return [name for (name,) in self.raw().execute(query)]


@contextmanager
def memory_database() -> Iterator[MemoryDatabase]:
    """A migrated one, which every table uses until the end."""
    before = proxy.obj
    configure("sqlite:///never-opened")  # the adapters for moments
    made = MemoryDatabase()
    proxy.initialize(made)
    made.connect()
    migrate()
    try:
        yield made
    finally:
        made.close()
        proxy.obj = before
