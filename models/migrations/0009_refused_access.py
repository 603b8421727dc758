"""Access that Qonto or Xero refuses for now, and bank accounts whose transactions cannot be read."""

from __future__ import annotations

from typing import Any

STATEMENTS = (
    "ALTER TABLE cursor ADD COLUMN unread_since TIMESTAMPTZ",
    "ALTER TABLE cursor ADD COLUMN unread_reason TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX cursor_unread ON cursor (unread_reason) WHERE unread_since IS NOT NULL",
    """
    CREATE TABLE access_refusal (
        connection_id TEXT NOT NULL REFERENCES connection (id),
        side TEXT NOT NULL,
        refused_since TIMESTAMPTZ NOT NULL,
        refused_at TIMESTAMPTZ NOT NULL,
        refusals INTEGER NOT NULL,
        problem TEXT NOT NULL,
        ends_since TIMESTAMPTZ,
        held_until TIMESTAMPTZ,
        PRIMARY KEY (connection_id, side)
    )""",
    "CREATE INDEX access_refusal_ends_since ON access_refusal (ends_since)",
    "CREATE INDEX access_refusal_held_until ON access_refusal (held_until)",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """New columns have defaults, so a release that does not know them goes on writing."""
    for statement in STATEMENTS:
        db.execute_sql(statement)
