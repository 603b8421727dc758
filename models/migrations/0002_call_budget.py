"""One rate budget for the whole fleet; a second clock for batches; what a restored database must look for first."""

from __future__ import annotations

from typing import Any

STATEMENTS = (
    """
    CREATE TABLE call_budget (
        scope TEXT NOT NULL PRIMARY KEY,
        slots TEXT NOT NULL,
        day_left INTEGER,
        day_most_left INTEGER,
        day_heard_at TIMESTAMPTZ,
        failures INTEGER NOT NULL,
        probe_at TIMESTAMPTZ
    )""",
    "ALTER TABLE posting_batch ADD COLUMN first_sent_machine TIMESTAMPTZ",
    "ALTER TABLE posting_batch ADD COLUMN last_sent_machine TIMESTAMPTZ",
    "UPDATE posting_batch SET first_sent_machine = first_sent_at, last_sent_machine = last_sent_at",
    "ALTER TABLE connection ADD COLUMN verify_since TIMESTAMPTZ",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    for statement in STATEMENTS:
        db.execute_sql(statement)
