"""For those who run it: why runs wait, counts that do not grow with history, what checks found, and recreated rows."""

from __future__ import annotations

from typing import Any

STATEMENTS = (
    "ALTER TABLE sync_run ADD COLUMN code TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sync_run ADD COLUMN read_from TIMESTAMPTZ",
    "ALTER TABLE sync_run ADD COLUMN first_done_at TIMESTAMPTZ",
    "ALTER TABLE posting ADD COLUMN former_ids TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX sync_run_kind_local_date ON sync_run (kind, local_date)",
    """
    CREATE INDEX posting_problem ON posting (state, reason, changed_at)
    WHERE state IN ('uncertain', 'held', 'rejected')
    """,
    """
    CREATE TABLE invariant_check (
        name TEXT NOT NULL,
        scope TEXT NOT NULL,
        checked_at TIMESTAMPTZ NOT NULL,
        violations INTEGER NOT NULL,
        examples TEXT NOT NULL,
        PRIMARY KEY (name, scope)
    )""",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """New columns have defaults, so a release that does not know them goes on writing."""
    for statement in STATEMENTS:
        db.execute_sql(statement)
