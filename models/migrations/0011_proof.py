"""What a proof rests on: opening balances, what is listed and not stored, and what Qonto changed later."""

from __future__ import annotations

from typing import Any

STATEMENTS = (
    """
    CREATE TABLE awaited_transaction (
        bank_account_id TEXT NOT NULL,
        transaction_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        reason TEXT NOT NULL,
        updated_at TIMESTAMPTZ NOT NULL,
        signed_cents BIGINT,
        first_seen_at TIMESTAMPTZ NOT NULL,
        missing_since TIMESTAMPTZ,
        ended_at TIMESTAMPTZ,
        PRIMARY KEY (bank_account_id, transaction_id, tenant_id)
    )""",
    """
    CREATE TABLE opening_balance (
        bank_account_id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        starts_at TIMESTAMPTZ NOT NULL,
        cents BIGINT NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (bank_account_id, tenant_id)
    )""",
    "ALTER TABLE cursor ADD COLUMN drift_cents BIGINT",
    "ALTER TABLE cursor ADD COLUMN drift_since TIMESTAMPTZ",
    "ALTER TABLE posting ADD COLUMN updated_at TIMESTAMPTZ",
    "ALTER TABLE posting ADD COLUMN changed_cents BIGINT",
    "ALTER TABLE posting ADD COLUMN changed_to TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE posting ADD COLUMN noted_at TIMESTAMPTZ",
    "CREATE INDEX posting_noted ON posting (tenant_id, noted_at) WHERE noted_at IS NOT NULL",
    # A row dated in the future had taken the cursor there; what was passed is read again, and stored once.
    """
    UPDATE cursor SET read_until = (SELECT starts_at FROM connection WHERE connection.id = cursor.connection_id)
    WHERE read_until > CURRENT_TIMESTAMP
    """,
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """New columns have defaults, so a release that does not know them goes on writing."""
    for statement in STATEMENTS:
        db.execute_sql(statement)
