"""The database's schema, and what is said after a restore."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from commands.frame import REASON, WHO, as_json, at_work, the_settings
from console import Screen
from models.database import configure, connected, where
from models.migrate import grant, migrate
from services.verify import distrust_record


@click.group()
def db() -> None:
    """The database's schema."""


@db.command("migrate")
@click.option(
    "--grants",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Then say this SQL: who else may do what, on PostgreSQL.",
)
@as_json
def db_migrate(screen: Screen, grants: Path | None) -> None:
    """Bring the schema up to date; safe to say again."""
    configure(the_settings().database_url)
    with connected():
        applied = migrate()
        if grants:
            grant(grants.read_text())
        if screen.as_json:
            screen.json({"database": where(), "applied": applied})
        else:
            screen.say(f"{where()}: " + (f"applied {', '.join(applied)}" if applied else "up to date"))


@db.command("restored")
@click.option("--taken-at", type=click.DateTime(), required=True, help="When the backup was taken (UTC).")
@REASON
@WHO
@as_json
def db_restored(taken_at: datetime, reason: str, who: str, screen: Screen) -> None:
    """Say it before any worker runs on a database that was restored from a backup.

    What was posted since the backup is due again by its record. So each organisation is looked up in Xero before
    anything of it is sent, and nobody calls Xero for seven minutes, for what may still be under way.
    """
    with at_work() as (_, workbench):
        count = distrust_record(taken_at.replace(tzinfo=UTC), who, reason, workbench.clock())
        if screen.as_json:
            screen.json({"connections": count})
        else:
            screen.say(f"{count} connections look in Xero for what is there before they send anything")
