"""When a scheduler last turned, so that `status` can say that none is running."""

from __future__ import annotations

from typing import Any

STATEMENTS = (
    """
    CREATE TABLE heartbeat (
        process TEXT NOT NULL PRIMARY KEY,
        beat_at TIMESTAMPTZ NOT NULL
    )""",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """A table of its own: a release that does not know it goes on without it."""
    for statement in STATEMENTS:
        db.execute_sql(statement)
