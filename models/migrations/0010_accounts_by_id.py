"""Know the account for lines to be coded by its id, and count how often Xero refused to create an account."""

from __future__ import annotations

from typing import Any

STATEMENTS = (
    "ALTER TABLE account_link ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE connection ADD COLUMN default_account_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE connection ADD COLUMN default_refusals INTEGER NOT NULL DEFAULT 0",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """Add columns with defaults, so that a release that does not know them goes on writing."""
    for statement in STATEMENTS:
        db.execute_sql(statement)
