"""Quarantine: what we could not understand or finish, looked at and dealt with by a person."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import click

from commands.frame import BROKEN, DRY_RUN, REASON, USAGE, WHO, Failure, as_json, at_work
from console import Screen
from domain.text import without_ibans
from models.database import trial
from models.encryption import CannotDecrypt
from models.quarantine import Quarantine, newest_quarantined, quarantined
from services.settle_quarantine import CannotSettle, discard, read_raw, requeue
from services.view_quarantine import view_payload, view_quarantine
from services.workbench import Workbench

COLUMNS = ("quarantined", "source", "created_at", "money", "bytes", "reason")
MOST_BITS = 64  # of a number that a database counts with, its sign too
MOST_SHOWN = 4_000  # characters of a payload; --raw gives all of it


@click.group()
def quarantine() -> None:
    """What we could not understand or finish, each with its bytes and its reason. Nothing is dropped."""


@quarantine.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what was dealt with.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def quarantine_list(screen: Screen, everything: bool, limit: int) -> None:
    """What waits for a person, newest first."""
    with at_work():
        screen.rows("Quarantine", COLUMNS, _views(newest_quarantined(limit, settled_too=everything)))


@quarantine.command("show")
@click.argument("number", metavar="QUARANTINED", type=int)
@click.option("--raw", is_flag=True, help="The exact bytes and nothing else, IBANs too; noted in the audit.")
@WHO
@as_json
def quarantine_show(screen: Screen, number: int, raw: bool, who: str) -> None:
    """One of them: where it came from, why it is here, and its bytes as text, IBANs shortened."""
    with at_work() as (_, workbench):
        row = _found(number)
        if raw:
            sys.stdout.buffer.write(read_raw(row, workbench, who))
            return
        (view,), text = _views([row]), view_payload(row, workbench)
        if screen.as_json:
            screen.json(view | {"payload": text})
            return
        screen.rows(f"Quarantined {number}", ["what", "is"], [{"what": k, "is": v} for k, v in view.items()])
        screen.say(text[:MOST_SHOWN])


@quarantine.command("requeue")
@click.argument("numbers", metavar="QUARANTINED...", type=int, nargs=-1, required=True)
@REASON
@WHO
@DRY_RUN
@as_json
def quarantine_requeue(screen: Screen, numbers: tuple[int, ...], reason: str, who: str, dry_run: bool) -> None:
    """Try once more, by today's rules: after a key was added, a release deployed, an outage ended.

    An event is judged again, also who signed it. A job's message is sent again. A transaction of Qonto's that can be
    read now is read again by the next night. What would only come back stays, and is said; then it exits with 1.
    """
    with at_work() as (_, workbench):
        rows = [_found(number) for number in numbers]
        told = [_requeued(row, workbench, who, reason, dry_run=dry_run) for row in rows]
    screen.rows("Would be requeued" if dry_run else "Requeued", ["quarantined", "source", "requeued", "why_not"], told)
    if not all(one["requeued"] for one in told):
        sys.exit(BROKEN)


@quarantine.command("discard")
@click.argument("numbers", metavar="QUARANTINED...", type=int, nargs=-1, required=True)
@REASON
@WHO
@as_json
def quarantine_discard(screen: Screen, numbers: tuple[int, ...], reason: str, who: str) -> None:
    """Say that nothing is to be done about these. Their bytes are kept; they are no longer listed."""
    with at_work() as (_, workbench):
        rows = [_found(number) for number in numbers]
        try:
            for row in rows:
                discard(row, who, reason, workbench.clock())
        except CannotSettle as error:
            raise Failure(str(error), USAGE) from error
    screen.rows("Discarded", ["quarantined", "source", "reason"], _views(rows))


def _requeued(row: Quarantine, workbench: Workbench, who: str, reason: str, *, dry_run: bool) -> dict[str, Any]:
    why_not = ""
    try:
        with trial() if dry_run else nullcontext():
            requeue(row, workbench, who, reason)
    except (CannotSettle, CannotDecrypt) as error:
        why_not = without_ibans(str(error))
    return {"quarantined": row.id, "source": row.source, "requeued": not why_not, "why_not": why_not}


def _found(number: int) -> Quarantine:
    found = quarantined(number) if number.bit_length() < MOST_BITS else None
    if found is None:
        raise Failure(f"nothing quarantined has the number {number}; `qonto-xero quarantine list` shows it", USAGE)
    return found


def _views(rows: Sequence[Quarantine]) -> list[dict[str, Any]]:
    return [asdict(view) for view in view_quarantine(rows)]
