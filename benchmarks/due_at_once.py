"""(c) Ten thousand organisations fall due at 23:00: how long until RabbitMQ has confirmed a message for each."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from benchmarks.parties import connect, found
from benchmarks.patience import wait
from benchmarks.process_costs import cpu_seconds, peak_megabytes
from benchmarks.progress import say
from benchmarks.stage import Show, Stage
from tests.acceptance.processes import NIGHT, at

LANE = "nightly"
BEFORE = timedelta(seconds=4)  # the scheduler is at work when 23:00 comes, by a clock that nobody moves then
COPY_ORGANISATIONS = """
    INSERT INTO organisation
    SELECT (jsonb_populate_record(one, jsonb_build_object('id', one.id || '-' || n, 'slug', one.slug || '-' || n))).*
    FROM organisation AS one, generate_series(1, %s) AS n"""
COPY_CONNECTIONS = """
    INSERT INTO connection
    SELECT (jsonb_populate_record(one, jsonb_build_object(
        'id', one.id || '-' || n, 'organisation_id', one.organisation_id || '-' || n,
        'tenant_id', one.tenant_id || '-' || n))).*
    FROM connection AS one, generate_series(1, %s) AS n"""
SENT = "SELECT count(*), max(sent_at) FROM outbox_message WHERE sent_at IS NOT NULL"


@dataclass(frozen=True)
class Rush:
    """Seconds from 23:00 to the last confirm, and what the scheduler process took for it."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def rush(stage: Stage, organisations: int, rounds: int) -> Rush:
    """The median of some rounds, each from an empty database; memory is the most that any round took."""
    laps = []
    for lap in range(rounds):
        say(f"(c) {organisations} organisations fall due, round {lap + 1} of {rounds}")
        with stage.show() as show:
            laps.append(_rush(show, organisations))
    return Rush(
        median(lap.seconds for lap in laps),
        median(lap.cpu_seconds for lap in laps),
        max(lap.peak_megabytes for lap in laps),
    )


def _rush(show: Show, organisations: int) -> Rush:
    connect(show, found(show.world, 1, prefix=f"Bureau {secrets.token_hex(3)}"))
    show.company.query(COPY_ORGANISATIONS, organisations - 1)
    show.company.query(COPY_CONNECTIONS, organisations - 1)
    show.company.query("ANALYZE")
    scheduler = show.company.start("scheduler")
    night = datetime.fromisoformat(NIGHT)
    at(show.world, (night - BEFORE).isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    before = cpu_seconds(scheduler.pid)
    wait(lambda: show.company.query(SENT)[0][0] >= organisations, f"{organisations} messages to be confirmed")
    waiting = show.broker.waiting(LANE)
    if waiting != organisations:
        raise RuntimeError(f"RabbitMQ holds {waiting} messages for {organisations} organisations")
    ((_, last),) = show.company.query(SENT)
    cost = cpu_seconds(scheduler.pid) - before
    return Rush((last - night).total_seconds(), cost, peak_megabytes(scheduler.pid))
