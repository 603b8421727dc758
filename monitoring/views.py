"""What is shown where: /metrics, /livez, /readyz and /slo."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from threading import Event

from clients.clock import Clock
from metrics import exposition
from models.database import DATABASE_OUTAGE, connected
from models.inbox import unhandled_since
from monitoring.readiness import OK, Group, Readiness
from monitoring.server import Shown, Views, as_json

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
LATE = timedelta(minutes=5)
MOST_LATE = 10  # events of Qonto's core that may be late


def views(readiness: Readiness, clock: Clock, stop: Event) -> Views:
    """The four addresses of a process that ends once `stop` is set."""
    promises = Readiness([Group({"events": lambda: _late_events(clock)}, connected, DATABASE_OUTAGE)])
    return {
        "/metrics": lambda: Shown(200, PROMETHEUS, exposition()),
        "/livez": lambda: as_json({"live": True}, fine=True),
        "/readyz": lambda: _ready(readiness, stop),
        "/slo": lambda: _kept(promises.ask()),
    }


def _ready(readiness: Readiness, stop: Event) -> Shown:
    checks = {"process": "draining"} if stop.is_set() else readiness.ask()
    ready = _all_ok(checks)
    return as_json({"ready": ready, "checks": checks}, fine=ready)


def _kept(promises: Mapping[str, str]) -> Shown:
    kept = _all_ok(promises)
    return as_json({"kept": kept, "promises": promises}, fine=kept)


def _all_ok(found: Mapping[str, str]) -> bool:
    return all(words == OK for words in found.values())


def _late_events(clock: Clock) -> str:
    late = unhandled_since(clock() - LATE)
    return f"{late} events of Qonto's core have waited for more than 5 minutes" if late > MOST_LATE else ""
