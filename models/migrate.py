"""Bring the database's schema up to date. Each migration is a frozen copy of what it made; safe to say twice."""

from __future__ import annotations

from pathlib import Path

import psycopg
from peewee import IntegrityError, OperationalError, ProgrammingError
from playhouse.migrations import Runner

from models.database import DatabaseUnreachable, database, is_sqlite, transaction, where
from settings import SettingsError

MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaOutOfDate(Exception):
    """The database lacks migrations that this code needs; the message says which command brings them."""


def migrate() -> list[str]:
    """Apply what is missing, each migration in its own transaction; the names applied, in order."""
    try:
        return list(Runner(database.obj, str(MIGRATIONS)).up())
    except (IntegrityError, OperationalError, ProgrammingError) as error:
        raise DatabaseUnreachable(f"cannot migrate {where()}: {str(error).strip()}") from error


def grant(statements: str) -> None:
    """Say who may do what with the schema, all of it or nothing. Raises SettingsError where there are no roles."""
    if is_sqlite():
        raise SettingsError(f"{where()} knows no roles: --grants is for PostgreSQL")
    try:
        with transaction():
            database.cursor().execute(statements)
    except (OperationalError, ProgrammingError, psycopg.Error) as error:
        raise DatabaseUnreachable(f"cannot grant on {where()}: {str(error).strip()}") from error


def check_schema() -> None:
    """Raises SchemaOutOfDate unless every migration has been applied."""
    missing = [m.name for m in Runner(database.obj, str(MIGRATIONS)).status() if m.applied is None]
    if missing:
        raise SchemaOutOfDate(f"{where()} lacks {', '.join(missing)}: run `qonto-xero db migrate` first")
