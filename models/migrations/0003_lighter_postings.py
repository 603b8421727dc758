"""Postings are written three times a transaction: fewer indexes and checks for each of them.

Postings, connections and accounts are never deleted, so nothing a posting points at can go. SQLite, which has no way
to drop a constraint, keeps checking.
"""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase

INDEXES = (
    "CREATE UNIQUE INDEX posting_transaction_id_tenant_id ON posting (transaction_id, tenant_id)",
    "DROP INDEX posting_tenant_id_transaction_id",
    "DROP INDEX posting_transaction_id",
)
CONSTRAINTS = (
    "ALTER TABLE posting DROP CONSTRAINT posting_organisation_id_fkey",
    "ALTER TABLE posting DROP CONSTRAINT posting_connection_id_fkey",
    "ALTER TABLE posting DROP CONSTRAINT posting_bank_account_id_fkey",
    "ALTER TABLE posting_event DROP CONSTRAINT posting_event_posting_id_fkey",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    for statement in (*INDEXES, *(() if isinstance(db, SqliteDatabase) else CONSTRAINTS)):
        db.execute_sql(statement)
