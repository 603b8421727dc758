"""The page: browser sessions, and the authorisations that they begin at Qonto and Xero."""

from __future__ import annotations

from typing import Any

STATEMENTS = (
    """
    CREATE TABLE web_session (
        id TEXT NOT NULL PRIMARY KEY,
        organisation_id TEXT NOT NULL,
        organisation_name TEXT NOT NULL,
        person TEXT NOT NULL,
        credential_id TEXT REFERENCES credential (id),
        created_at TIMESTAMPTZ NOT NULL,
        seen_at TIMESTAMPTZ NOT NULL
    )""",
    """
    CREATE TABLE authorisation (
        id TEXT NOT NULL PRIMARY KEY,
        session_id TEXT NOT NULL,
        organisation_id TEXT NOT NULL,
        side TEXT NOT NULL,
        state_hash TEXT NOT NULL,
        verifier TEXT NOT NULL,
        name TEXT NOT NULL,
        credential_id TEXT REFERENCES credential (id),
        auth_event_id TEXT NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        used_at TIMESTAMPTZ
    )""",
    "CREATE UNIQUE INDEX authorisation_state_hash ON authorisation (state_hash)",
    "CREATE INDEX authorisation_credential_id ON authorisation (credential_id)",
    "CREATE INDEX web_session_credential_id ON web_session (credential_id)",
    "CREATE INDEX connection_qonto_credential_id ON connection (qonto_credential_id)",
    "CREATE INDEX connection_xero_credential_id ON connection (xero_credential_id)",
    "CREATE INDEX authorisation_organisation_id_created_at ON authorisation (organisation_id, created_at)",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 - the runner passes both
    """Two new tables, which no earlier release knows, and indexes by which a secret that is nobody's is found."""
    for statement in STATEMENTS:
        db.execute_sql(statement)
