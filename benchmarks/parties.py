"""Organisations to measure with: each has one Qonto account, and rows that all belong in Xero."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from benchmarks.stage import Show
from tests.acceptance.processes import EVENING, MORNING
from tests.sandbox.world_client import Party, WorldClient

LABELS = ("Nube Hosting", "Café de la Gare", "Loyer novembre", "SNCF Voyages", "Papeterie Dubois")
ROWS_A_REQUEST = 1_000
DAY_LIMIT = 1_000_000  # the sandbox's 5,000 calls a day are not what is measured here


def rows(count: int, day: int = 0) -> list[dict[str, Any]]:
    """So many settled payments between morning and evening of that day, in the order in which they settled."""
    morning, evening = (datetime.fromisoformat(moment) + timedelta(days=day) for moment in (MORNING, EVENING))
    step = (evening - morning - timedelta(minutes=2)) / max(1, count)
    return [_row(number, morning + timedelta(minutes=1) + number * step) for number in range(count)]


def _row(number: int, settled_at: datetime) -> dict[str, Any]:
    moment = settled_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "amount_cents": 1_00 + number,
        "side": "credit" if number % 5 == 0 else "debit",
        "label": f"{LABELS[number % len(LABELS)]} {number % 40}",
        "reference": f"Facture {number}",
        "settled_at": moment,
        "emitted_at": moment,
        "created_at": moment,
        "updated_at": moment,
    }


def found(world: WorldClient, count: int, *, prefix: str = "Bureau") -> list[Party]:
    """So many organisations with one account and a connected Xero."""
    return [world.organisation(name=f"{prefix} {n}", xero={"day_limit": DAY_LIMIT}) for n in range(count)]


def settle(party: Party, count: int, day: int = 0) -> None:
    """So many rows happen at Qonto, on the first day or so many days later."""
    made = rows(count, day)
    for start in range(0, count, ROWS_A_REQUEST):
        party.pay(*made[start : start + ROWS_A_REQUEST])


def connect(show: Show, parties: list[Party], *, follow: bool = False) -> None:
    """Connect them by the command line, without a process for each; unless `follow`, the night makes their accounts."""
    for party in parties:
        show.company.connect_at_once(party, follow=follow)


def posted(show: Show) -> int:
    """How many transactions Xero has, over all organisations, deleted ones counted."""
    return sum(int(tenant["bank_transactions"]) for tenant in show.world.control("GET", "/tenants")["tenants"])
