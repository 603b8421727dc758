"""What must always hold, looked at for everybody every quarter of an hour in our own tables; what is found is kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from domain.calendar import NIGHT, falls_due, latest_due
from domain.ledger_check_lines import Line
from domain.reasons import Held
from domain.sent_bytes import disagreements
from models.database import transaction
from models.fleet_invariants import (
    batches_left_behind,
    newest_batches_sent,
    organisations_without_night,
    transactions_held_as,
    transactions_left_due,
)
from models.invariant_check import (
    FLEET,
    MOST_EXAMPLES,
    forget_checks,
    keep_only,
    last_check_of,
    store_check,
    violated_scopes,
)
from models.organisation import Connection, live_connection
from models.states import ConnectionState, Lane, RunKind
from models.sync_run import any_run_of, ask_for_run, zones_in_use
from services.check_database import OPENED, PICKED_UP

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=15)
NIGHTS_BACK = 2
RECENT = timedelta(days=3)  # nights that may still have left something due
BATCHES = 200  # the newest, whose bytes are held against our record
SAMPLE = 20  # organisations compared with Xero each night: it costs calls of theirs
SAMPLED = range(3, 6)  # hours, UTC, when the nights of most are over and nobody works yet


def check_fleet_if_due(now: datetime) -> None:
    """Look, unless somebody looked in the last quarter of an hour."""
    last = last_check_of(FLEET)
    if last is None or now - last >= EVERY:
        check_fleet(now)


def check_fleet(now: datetime) -> list[Line]:
    """Each invariant that our tables can tell of everybody, stored and logged if it is violated."""
    lines = [
        Line("I1", transactions_held_as(Held.TWICE_IN_XERO)),
        Line("I7", [f"batch {number}" for number in batches_left_behind(now, now - PICKED_UP)]),
        Line("I11", transactions_left_due(now.date() - RECENT)),
        Line("I17", list(_wrongly_sent())),
        Line("I22", list(_missed_nights(now))),
    ]
    with transaction():
        keep_only(FLEET, [line.name for line in lines])
        for line in lines:
            store_check(line.name, FLEET, line.violations, now)
    for line in lines:
        if not line.holds:
            log.error("%s is violated %s times: %s", line.name, len(line.violations), line.violations[:MOST_EXAMPLES])
    return lines


def sample_if_due(now: datetime) -> int:
    """Ask for tonight's inspections, once a date: a few organisations, others each night, and those found wrong before.

    How many. Any number of schedulers may say it: they choose the same.
    """
    if now.hour not in SAMPLED or any_run_of(RunKind.INSPECTION, now.date()):
        return 0
    chosen = {*_sample(now), *violated_scopes()} - {FLEET}
    live = {organisation: live_connection(organisation) for organisation in sorted(chosen)}
    connections = [connection for connection in live.values() if connection]
    with transaction():
        forget_checks([organisation for organisation, connection in live.items() if connection is None])
        for connection in connections:
            ask_for_run(connection, RunKind.INSPECTION, Lane.NIGHTLY, now.date(), now)
    return len(connections)


def _sample(now: datetime) -> list[str]:
    """Organisations in an order that is another one each date."""
    live = Connection.select(Connection.organisation_id).where(Connection.state == ConnectionState.LIVE)
    ids = [str(connection.organisation_id) for connection in live]
    return sorted(ids, key=lambda one: sha256(f"{now.date()}{one}".encode()).digest())[:SAMPLE]


def _wrongly_sent() -> Iterator[str]:
    for number, body, members in newest_batches_sent(BATCHES):
        for transaction_id in disagreements(body, members):
            yield f"batch {number}: {transaction_id}"


def _missed_nights(now: datetime) -> Iterator[str]:
    for zone in zones_in_use():
        newest = latest_due(now - OPENED, NIGHT, zone)
        for back in range(NIGHTS_BACK):
            day = newest - timedelta(days=back)
            for organisation in organisations_without_night(zone, day, falls_due(day, NIGHT, zone)):
                yield f"{organisation} has no night for {day}"
