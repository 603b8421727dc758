"""Accounts follow Qonto: the inbox of its core's events, accounts that are read for good, quarantine that is sealed."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase

STATEMENTS = (
    """
    CREATE TABLE inbox_event (
        id {big_id},
        source TEXT NOT NULL,
        event_id TEXT NOT NULL,
        type TEXT NOT NULL,
        organisation_id TEXT NOT NULL,
        bank_account_id TEXT NOT NULL,
        version TIMESTAMPTZ NOT NULL,
        happened_at TIMESTAMPTZ NOT NULL,
        digest TEXT NOT NULL,
        received_at TIMESTAMPTZ NOT NULL,
        announced_at TIMESTAMPTZ NOT NULL,
        handled_at TIMESTAMPTZ,
        outcome TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX inbox_event_source_event_id ON inbox_event (source, event_id)",
    "CREATE INDEX inbox_event_organisation_id_handled_at ON inbox_event (organisation_id, handled_at)",
    "CREATE INDEX inbox_event_handled_at_announced_at ON inbox_event (handled_at, announced_at)",
    "ALTER TABLE cursor ADD COLUMN read_whole_at TIMESTAMPTZ",
    "ALTER TABLE quarantine ADD COLUMN headers TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE quarantine ADD COLUMN is_sealed BOOLEAN NOT NULL DEFAULT FALSE",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """Columns have defaults, because workers of the release before go on writing while this one is deployed."""
    count = "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT" if isinstance(db, SqliteDatabase) else "BIGSERIAL PRIMARY KEY"
    for statement in STATEMENTS:
        db.execute_sql(statement.format(big_id=count))
