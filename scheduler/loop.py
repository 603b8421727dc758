"""The scheduler process: loops, each a turn and a short rest until told to stop. No failure of a turn ends one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from threading import Event

from clients.clock import Clock
from clients.errors import RemoteError
from messaging import BrokerUnreachable
from messaging.outbox_relay import Relay
from metrics import SCHEDULER_SUCCESS
from models.database import DATABASE_OUTAGE, connected
from models.outbox import OutboxEvent, OutboxMessage
from scheduler.fleet_metrics import show_fleet
from scheduler.tick import open_due, tidy, wake
from services.check_fleet import check_fleet_if_due, sample_if_due

log = logging.getLogger(__name__)

TICK_SECONDS = 2.0  # how late a run may be opened, at most
WAKE_SECONDS = 0.5  # how late a waiting run may go on: a minute's calls are worth a second
REST_SECONDS = 0.1  # between two looks at the outbox: what a waiting person may lose here
TIDY_SECONDS = 60.0
WATCH_SECONDS = 10.0  # how old the fleet's figures may be
TELL_SECONDS = 0.5  # the same for events to Qonto's core, for which nobody waits
SILENT_SECONDS = 30.0  # without a turn that achieved something, a scheduler is of no use
OUTAGE_SECONDS = 2.0  # between two tries while the broker or the database is away


class Scheduler:
    """Opens runs every two seconds, wakes them every half, relays the outbox all the time. Safe with two replicas."""

    def __init__(self, relay: Relay[OutboxMessage], clock: Clock, tick_seconds: float = TICK_SECONDS) -> None:
        self._relay = relay
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._next_tick = self._next_wake = self._next_tidy = 0.0
        self._succeeded_at = time.monotonic()

    def run(self, stop: Event) -> None:
        """Take turns until `stop` is set."""
        while not stop.is_set():
            stop.wait(self.turn())

    def turn(self) -> float:
        """One turn; the seconds to rest before the next one."""
        return _carefully(self._turn)

    def _turn(self) -> float:
        self._tick_if_due()
        rest = 0.0 if self._relay.turn() else REST_SECONDS
        self._succeeded_at = time.monotonic()
        return rest

    def why_not_working(self) -> str:
        """Why it cannot be counted on; empty while its turns succeed."""
        silent = time.monotonic() - self._succeeded_at
        return f"no turn has succeeded for {silent:.0f} s" if silent > SILENT_SECONDS else ""

    def _tick_if_due(self) -> None:
        opened = woken = 0
        if time.monotonic() >= self._next_tick:
            now = self._clock()
            opened = open_due(now)
            SCHEDULER_SUCCESS.set(now.timestamp())
            self._next_tick = time.monotonic() + self._tick_seconds
        if opened or time.monotonic() >= self._next_wake:
            woken = wake(self._clock())
            self._next_wake = time.monotonic() + min(WAKE_SECONDS, self._tick_seconds)
        if time.monotonic() >= self._next_tidy:
            tidy(self._clock())
            self._next_tidy = time.monotonic() + TIDY_SECONDS
        if opened or woken:
            log.info("opened %s runs, woke %s", opened, woken)


class Teller:
    """Tells Qonto's core, in a thread of its own: whatever its broker does, the scheduler does not wait for it."""

    def __init__(self, relay: Relay[OutboxEvent]) -> None:
        self._relay = relay

    def run(self, stop: Event) -> None:
        """Take turns until `stop` is set."""
        while not stop.is_set():
            stop.wait(_carefully(self._turn))

    def _turn(self) -> float:
        return 0.0 if self._relay.turn() else TELL_SECONDS


class Watcher:
    """Looks after invariants, and reads the fleet's figures for whoever scrapes this process.

    In a thread of its own: no run waits for it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def run(self, stop: Event) -> None:
        """Look until `stop` is set."""
        while not stop.is_set():
            stop.wait(self.turn())

    def turn(self) -> float:
        """One look at everything; the seconds to rest before the next one."""
        for look in (show_fleet, check_fleet_if_due, sample_if_due):
            _carefully(partial(self._look, look))  # what one of them meets with keeps none of the others
        return WATCH_SECONDS

    def _look(self, look: Callable[[datetime], object]) -> float:
        look(self._clock())
        return WATCH_SECONDS


def _carefully(turn: Callable[[], float]) -> float:
    """One turn, connected to the database; the seconds to rest before the next one."""
    try:
        with connected():
            return turn()
    except (BrokerUnreachable, RemoteError, *DATABASE_OUTAGE) as error:
        log.warning("this turn achieved nothing: %s", error)
        return OUTAGE_SECONDS
    except Exception:
        log.exception("this turn ended unexpectedly; the next one tries again")
        return OUTAGE_SECONDS
