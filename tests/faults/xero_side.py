"""What the fault tests about Xero, Qonto and the night share: organisations, nights, and what the world logged."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.acceptance.processes import NIGHT, at, payments, puts
from tests.faults.rig import FaultyCompany
from tests.sandbox.world_client import Party, WorldClient

MINUTE, DAY = 60, 24 * 60 * 60
QUIET_AFTER_SEND = 45  # seconds in which the first request may still be under way
PROOF_AFTER = 7 * MINUTE
LEASE = 90  # seconds that a dead worker's lease lives
LOOKS = {"service": "xero", "method": "GET", "path": "/BankTransactions$"}
TOKENS = {"service": "identity", "path": "/connect/token$"}
QONTO_LISTS = {"service": "qonto", "method": "GET", "path": "/transactions$"}

STATES = "SELECT state, count(*) FROM posting GROUP BY state ORDER BY state"
RUNS = "SELECT kind, local_date::text, state FROM sync_run WHERE organisation_id = %s ORDER BY id"


def connected(company: FaultyCompany, town: WorldClient, rows: int = 3, **description: Any) -> Party:
    """An organisation with so many payments, connected."""
    party = town.organisation(**description)
    if rows:
        party.pay(*payments(rows))
    company.connect_at_once(party)
    return party


def begin(company: FaultyCompany, town: WorldClient, *worker: str, moment: str = NIGHT) -> None:
    """A scheduler and a worker, supervised, and the night falls due."""
    company.keep_running("scheduler", "scheduler")
    company.keep_running("worker", "worker", *worker)
    at(town, moment)


def live_until(company: FaultyCompany, town: WorldClient, date: str, parties: int = 1) -> None:
    """The morning of that date, when we look at what people did, and then its night."""
    at(town, f"{date}T04:00:00Z")
    observed = "SELECT count(*) FROM sync_run WHERE kind = 'observation' AND state = 'done' AND local_date = %s"
    company.until(lambda: company.query(observed, date) == [(parties,)], f"the observations of {date}")
    at(town, f"{date}T22:00:00Z")
    company.until_night_is_done(date, parties)


def sends(town: WorldClient, party: Party) -> list[dict[str, Any]]:
    """The requests that wrote its transactions, in the order in which they began."""
    return sorted(puts(town, party), key=moment_of)


def looks(town: WorldClient, party: Party) -> list[dict[str, Any]]:
    """The requests that looked for its transactions in Xero."""
    return town.requests_made(f"service=xero&method=GET&path=/BankTransactions$&tenant={party.tenant}")


def moment_of(request: dict[str, Any]) -> datetime:
    """When a request of the log began, by the world's clock."""
    return datetime.fromisoformat(request["time"])


def most_in_a_minute(moments: list[datetime]) -> int:
    """The most of them in any 60 seconds."""
    ordered, start, most = sorted(moments), 0, 0
    for end, moment in enumerate(ordered):
        while moment - ordered[start] >= timedelta(seconds=MINUTE):
            start += 1
        most = max(most, end - start + 1)
    return most


def states_of(company: FaultyCompany, party: Party) -> dict[str, int]:
    """How many of its postings are in which state, with the reason of those that have one."""
    told = "state || CASE reason WHEN '' THEN '' ELSE ': ' || reason END"
    asked = f"SELECT {told}, count(*) FROM posting WHERE tenant_id = %s GROUP BY 1"
    return dict(company.query(asked, party.tenant))


def nightly_state(company: FaultyCompany, party: Party) -> str:
    """The state of its newest nightly run."""
    asked = "SELECT state FROM sync_run WHERE organisation_id = %s AND kind = 'nightly' ORDER BY local_date DESC"
    found = company.query(asked, party.id)
    return str(found[0][0]) if found else "none"


def until_state(company: FaultyCompany, state: str, *parties: Party, seconds: float = 30) -> None:
    """Return when the newest night of each is in this state."""
    company.until(
        lambda: all(nightly_state(company, party) == state for party in parties), f"nights to be {state}", seconds
    )
