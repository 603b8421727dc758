"""Connections that a person ends: when that was, so that their secrets are gone a minute later."""

from __future__ import annotations

from typing import Any


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """The column is empty for what was never ended, and for what an earlier release ended."""
    db.execute_sql("ALTER TABLE connection ADD COLUMN ended_at TIMESTAMPTZ")
    db.execute_sql("CREATE UNIQUE INDEX connection_one_tenant ON connection (tenant_id) WHERE state <> 'disconnected'")
