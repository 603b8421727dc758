"""The first schema: everything that one night needs."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase

TABLES = (
    """
    CREATE TABLE organisation (
        id TEXT NOT NULL PRIMARY KEY,
        slug TEXT NOT NULL,
        name TEXT NOT NULL,
        time_zone TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL
    )""",
    "CREATE INDEX organisation_slug ON organisation (slug)",
    """
    CREATE TABLE credential (
        id TEXT NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        secret TEXT NOT NULL,
        access_token TEXT NOT NULL,
        expires_at TIMESTAMPTZ,
        version INTEGER NOT NULL,
        claimed_by TEXT NOT NULL,
        claimed_until TIMESTAMPTZ,
        created_at TIMESTAMPTZ NOT NULL
    )""",
    """
    CREATE TABLE connection (
        id TEXT NOT NULL PRIMARY KEY,
        organisation_id TEXT NOT NULL REFERENCES organisation (id),
        name TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        tenant_name TEXT NOT NULL,
        qonto_credential_id TEXT NOT NULL REFERENCES credential (id),
        xero_credential_id TEXT NOT NULL REFERENCES credential (id),
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        starts_at TIMESTAMPTZ NOT NULL,
        money_in_code TEXT NOT NULL,
        money_out_code TEXT NOT NULL,
        fees_code TEXT NOT NULL,
        default_code TEXT NOT NULL,
        observed_until TIMESTAMPTZ,
        created_at TIMESTAMPTZ NOT NULL
    )""",
    "CREATE INDEX connection_tenant_id ON connection (tenant_id)",
    "CREATE INDEX connection_state ON connection (state)",
    "CREATE UNIQUE INDEX connection_one_open ON connection (organisation_id) WHERE state <> 'disconnected'",
    """
    CREATE TABLE bank_account (
        id TEXT NOT NULL PRIMARY KEY,
        organisation_id TEXT NOT NULL REFERENCES organisation (id),
        name TEXT NOT NULL,
        iban_last4 TEXT NOT NULL,
        currency TEXT NOT NULL,
        status TEXT NOT NULL,
        is_external BOOLEAN NOT NULL,
        updated_at TIMESTAMPTZ
    )""",
    "CREATE INDEX bank_account_organisation_id ON bank_account (organisation_id)",
    """
    CREATE TABLE account_link (
        id {big_id},
        tenant_id TEXT NOT NULL,
        bank_account_id TEXT NOT NULL REFERENCES bank_account (id),
        generation INTEGER NOT NULL,
        code TEXT NOT NULL,
        name TEXT NOT NULL,
        xero_account_id TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL
    )""",
    """
    CREATE UNIQUE INDEX account_link_tenant_id_bank_account_id_generation
        ON account_link (tenant_id, bank_account_id, generation)""",
    """
    CREATE TABLE cursor (
        id {big_id},
        connection_id TEXT NOT NULL REFERENCES connection (id),
        bank_account_id TEXT NOT NULL REFERENCES bank_account (id),
        read_until TIMESTAMPTZ NOT NULL,
        chain_broken_at TEXT NOT NULL
    )""",
    "CREATE UNIQUE INDEX cursor_connection_id_bank_account_id ON cursor (connection_id, bank_account_id)",
    """
    CREATE TABLE posting (
        id {big_id},
        tenant_id TEXT NOT NULL,
        transaction_id TEXT NOT NULL,
        organisation_id TEXT NOT NULL REFERENCES organisation (id),
        connection_id TEXT NOT NULL REFERENCES connection (id),
        bank_account_id TEXT NOT NULL REFERENCES bank_account (id),
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        reason_detail TEXT NOT NULL,
        side TEXT NOT NULL,
        amount_cents BIGINT NOT NULL,
        currency TEXT NOT NULL,
        local_amount_cents BIGINT NOT NULL,
        local_currency TEXT NOT NULL,
        operation_type TEXT NOT NULL,
        label TEXT NOT NULL,
        counterparty TEXT NOT NULL,
        reference TEXT NOT NULL,
        card_last_digits TEXT NOT NULL,
        url TEXT NOT NULL,
        settled_at TIMESTAMPTZ NOT NULL,
        settled_balance_cents BIGINT,
        date DATE NOT NULL,
        attempts INTEGER NOT NULL,
        refusals INTEGER NOT NULL,
        alone BOOLEAN NOT NULL,
        batch_id BIGINT,
        xero_account_id TEXT NOT NULL,
        bank_transaction_id TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        changed_at TIMESTAMPTZ NOT NULL
    )""",
    "CREATE INDEX posting_batch_id ON posting (batch_id)",
    "CREATE UNIQUE INDEX posting_tenant_id_transaction_id ON posting (tenant_id, transaction_id)",
    "CREATE INDEX posting_connection_id_state ON posting (connection_id, state)",
    "CREATE INDEX posting_bank_account_id_settled_at ON posting (bank_account_id, settled_at)",
    "CREATE INDEX posting_transaction_id ON posting (transaction_id)",
    """
    CREATE TABLE posting_event (
        id {big_id},
        posting_id BIGINT NOT NULL REFERENCES posting (id),
        at TIMESTAMPTZ NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        batch_id BIGINT
    )""",
    "CREATE INDEX posting_event_posting_id ON posting_event (posting_id)",
    """
    CREATE TABLE posting_batch (
        id {big_id},
        tenant_id TEXT NOT NULL,
        connection_id TEXT NOT NULL REFERENCES connection (id),
        attempt INTEGER NOT NULL,
        key TEXT NOT NULL,
        body {bytes} NOT NULL,
        body_sha256 TEXT NOT NULL,
        size INTEGER NOT NULL,
        state TEXT NOT NULL,
        sends INTEGER NOT NULL,
        fence BIGINT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        first_sent_at TIMESTAMPTZ,
        last_sent_at TIMESTAMPTZ,
        refused TEXT NOT NULL,
        problem TEXT NOT NULL,
        looked_up_at TIMESTAMPTZ,
        looked_up_found INTEGER,
        resolved_at TIMESTAMPTZ
    )""",
    "CREATE UNIQUE INDEX posting_batch_key ON posting_batch (key)",
    "CREATE INDEX posting_batch_connection_id_state ON posting_batch (connection_id, state)",
    """
    CREATE TABLE sync_run (
        id {big_id},
        organisation_id TEXT NOT NULL REFERENCES organisation (id),
        connection_id TEXT NOT NULL REFERENCES connection (id),
        kind TEXT NOT NULL,
        local_date DATE NOT NULL,
        lane TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL,
        wake_at TIMESTAMPTZ NOT NULL,
        wave TEXT NOT NULL,
        turns INTEGER NOT NULL,
        starts INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        imported INTEGER NOT NULL,
        posted INTEGER NOT NULL,
        accounts_created INTEGER NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        prepared_at TIMESTAMPTZ,
        started_at TIMESTAMPTZ,
        finished_at TIMESTAMPTZ
    )""",
    "CREATE INDEX sync_run_wave ON sync_run (wave)",
    "CREATE UNIQUE INDEX sync_run_organisation_id_kind_local_date ON sync_run (organisation_id, kind, local_date)",
    "CREATE INDEX sync_run_state_wake_at ON sync_run (state, wake_at)",
    """
    CREATE TABLE outbox_message (
        id {big_id},
        lane TEXT NOT NULL,
        actor TEXT NOT NULL,
        arguments TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        claimed_by TEXT NOT NULL,
        claimed_until TIMESTAMPTZ,
        sent_at TIMESTAMPTZ
    )""",
    "CREATE INDEX outbox_message_sent_at_id ON outbox_message (sent_at, id)",
    """
    CREATE TABLE lease (
        organisation_id TEXT NOT NULL PRIMARY KEY,
        owner TEXT NOT NULL,
        fence BIGINT NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL
    )""",
    """
    CREATE TABLE pause (
        tenant_id TEXT NOT NULL PRIMARY KEY,
        not_before TIMESTAMPTZ NOT NULL,
        reason TEXT NOT NULL
    )""",
    """
    CREATE TABLE quarantine (
        id {big_id},
        source TEXT NOT NULL,
        payload {bytes} NOT NULL,
        digest TEXT NOT NULL,
        reason TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        settled_at TIMESTAMPTZ
    )""",
    "CREATE UNIQUE INDEX quarantine_digest ON quarantine (digest)",
    """
    CREATE TABLE audit_entry (
        id {big_id},
        at TIMESTAMPTZ NOT NULL,
        who TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        reason TEXT NOT NULL
    )""",
    "CREATE INDEX audit_entry_subject ON audit_entry (subject)",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """The same tables on PostgreSQL and SQLite; only how they count and keep bytes differs."""
    if isinstance(db, SqliteDatabase):
        types = {"big_id": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", "bytes": "BLOB"}
    else:
        types = {"big_id": "BIGSERIAL NOT NULL PRIMARY KEY", "bytes": "BYTEA"}
    for statement in TABLES:
        db.execute_sql(statement.format(**types))
