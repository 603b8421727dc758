"""Bank accounts that could not be read when their connection was verified: they are verified once they can be."""

from __future__ import annotations

from typing import Any


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """The new column may be empty, so a release that does not know it goes on writing."""
    db.execute_sql("ALTER TABLE cursor ADD COLUMN verify_since TIMESTAMPTZ")
