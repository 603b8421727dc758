"""Bring the database's schema up to date. Each migration is a frozen copy of what it made; safe to say twice."""

from __future__ import annotations

from pathlib import Path

from peewee import IntegrityError, OperationalError, ProgrammingError
from playhouse.migrations import Runner

from models.database import DatabaseUnreachable, database, where

MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaOutOfDate(Exception):
    """The database lacks migrations that this code needs; the message says which command brings them."""


def migrate() -> list[str]:
    """Apply what is missing, each migration in its own transaction; the names applied, in order."""
    try:
        return list(Runner(database.obj, str(MIGRATIONS)).up())
    except (IntegrityError, OperationalError, ProgrammingError) as error:
        raise DatabaseUnreachable(f"cannot migrate {where()}: {str(error).strip()}") from error


def check_schema() -> None:
    """Raises SchemaOutOfDate unless every migration has been applied."""
    missing = [m.name for m in Runner(database.obj, str(MIGRATIONS)).status() if m.applied is None]
    if missing:
        raise SchemaOutOfDate(f"{where()} lacks {', '.join(missing)}: run `qonto-xero db migrate` first")
