"""A backup of the company's database, taken while everybody writes, and its restore into an empty database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

TABLES = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
SEQUENCES = "SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
WATCH = "soak_lease"  # a table of the soak's own


@dataclass(frozen=True)
class Backup:
    """Every row as it was at one moment; `taken_at` is the world's."""

    taken_at: datetime
    tables: dict[str, bytes]
    sequences: dict[str, int | None]

    @property
    def megabytes(self) -> float:
        return sum(map(len, self.tables.values())) / 2**20


def take_backup(url: str, taken_at: datetime) -> Backup:
    """A snapshot of all tables, as pg_dump takes it: nobody waits for it, and it is of one moment."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        names = [name for (name,) in connection.execute(TABLES).fetchall() if name != WATCH]
        tables = {name: _read(connection, name) for name in names}
        # Numbers of sequences are not in the snapshot, so they are read last: they may be ahead, never behind.
        sequences: dict[str, int | None] = dict(connection.execute(SEQUENCES).fetchall())
    return Backup(taken_at, tables, sequences)


def put_back(url: str, backup: Backup) -> None:
    """Into a database that has the tables: exactly the rows of the backup."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # the order of tables does not matter then
        for name in backup.tables:
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(name)))
        for name, rows in backup.tables.items():
            copying = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(name))
            with connection.cursor() as cursor, cursor.copy(copying) as copy:
                copy.write(rows)
        for name, value in backup.sequences.items():
            if value is not None:
                connection.execute("SELECT setval(%s::regclass, %s)", (name, value))


def _read(connection: psycopg.Connection, name: str) -> bytes:
    copying = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(name))
    with connection.cursor() as cursor, cursor.copy(copying) as copy:
        return b"".join(bytes(piece) for piece in copy)
