"""What Qonto's core is told: events that wait to be published, and that were."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase

STATEMENTS = (
    """
    CREATE TABLE outbox_event (
        id {big_id},
        type TEXT NOT NULL,
        body TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        claimed_by TEXT NOT NULL,
        claimed_until TIMESTAMPTZ,
        sent_at TIMESTAMPTZ
    )""",
    "CREATE INDEX outbox_event_sent_at_id ON outbox_event (sent_at, id)",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """A new table, which no earlier release knows; nothing of what happened before is told."""
    count = "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT" if isinstance(db, SqliteDatabase) else "BIGSERIAL PRIMARY KEY"
    for statement in STATEMENTS:
        db.execute_sql(statement.format(big_id=count))
