"""The scheduler process: loops, each a turn and a short rest until asked to stop. No failure of a turn ends one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from threading import Event, Thread
from typing import Generic, Protocol

from clients.clock import Clock
from clients.errors import RemoteError
from messaging import BrokerUnreachable
from messaging.outbox_relay import Relay
from metrics import SCHEDULER_SUCCESS
from models.database import DATABASE_OUTAGE, connected
from models.heartbeat import BEAT_EVERY, SCHEDULER, beat
from models.outbox import Row
from models.states import Lane
from scheduler.fleet_metrics import show_fleet
from scheduler.tick import open_due, resend, tidy, wake
from services.check_fleet import check_fleet_if_due, sample_if_due

log = logging.getLogger(__name__)

TICK_SECONDS = 2.0  # how late a run may be opened, at most
WAKE_SECONDS = 0.5  # how late a waiting run may go on: a minute's calls are worth a second
REST_SECONDS = 0.1  # between two looks at a lane's outbox: what a waiting customer may lose here
EVENT_REST_SECONDS = 0.5  # between two looks at the outbox of events to Qonto's core, for which no customer waits
RESEND_SECONDS = 5.0  # between two looks for lost messages, which are five minutes old then
TIDY_SECONDS = 60.0
WATCH_SECONDS = 10.0  # how old the fleet's figures may be
SILENT_SECONDS = 30.0  # without a turn that achieved something, a scheduler is of no use
OUTAGE_SECONDS = 2.0  # between two tries while the broker or the database is away


class Loop(Protocol):
    """Work that goes on until it is asked to stop."""

    @property
    def name(self) -> str:
        """What its thread is called."""

    def run(self, stop: Event) -> None:
        """Take turns until `stop` is set."""


class Scheduler:
    """Opens runs every two seconds and wakes them every half. Safe with two replicas."""

    name = "scheduler"

    def __init__(self, clock: Clock, tick_seconds: float = TICK_SECONDS) -> None:
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._wake_seconds = min(WAKE_SECONDS, tick_seconds)
        self._next_tick = self._next_tidy = 0.0
        self._beat_at: datetime | None = None
        self._succeeded_at = time.monotonic()

    def run(self, stop: Event) -> None:
        """Take turns until `stop` is set."""
        while not stop.is_set():
            stop.wait(self.turn())

    def turn(self) -> float:
        """Take one turn and return the seconds to rest before the next one."""
        return _carefully(self.name, self._turn)

    def _turn(self) -> float:
        opened = 0
        if time.monotonic() >= self._next_tick:
            now = self._clock()
            opened = open_due(now)
            SCHEDULER_SUCCESS.set(now.timestamp())
            self._beat_if_due(now)
            self._next_tick = time.monotonic() + self._tick_seconds
        woken = wake(self._clock())
        if time.monotonic() >= self._next_tidy:
            tidy(self._clock())
            self._next_tidy = time.monotonic() + TIDY_SECONDS
        if opened or woken:
            log.info("opened %s runs, woke %s", opened, woken)
        self._succeeded_at = time.monotonic()
        return self._wake_seconds

    def why_not_working(self) -> str:
        """Why it cannot be counted on; empty while its turns succeed."""
        return _why_silent(self._succeeded_at)

    def _beat_if_due(self, now: datetime) -> None:
        if self._beat_at is None or abs(now - self._beat_at) >= BEAT_EVERY:
            beat(SCHEDULER, now)
            self._beat_at = now


class RelayLoop(Generic[Row]):
    """Publishes what one relay is for. In a thread of its own: what holds one relay up delays no other."""

    def __init__(self, relay: Relay[Row], rest_seconds: float = REST_SECONDS) -> None:
        self.name = f"relay-{relay.lane or relay.counted_as}"
        self._relay: Relay[Row] = relay
        self._rest_seconds = rest_seconds
        self._succeeded_at = time.monotonic()

    def run(self, stop: Event) -> None:
        """Take turns until `stop` is set, then close the publisher."""
        try:
            while not stop.is_set():
                stop.wait(self.turn())
        finally:
            self._relay.publisher.close()

    def turn(self) -> float:
        """Take one turn and return the seconds to rest before the next one."""
        return _carefully(self.name, self._turn)

    def why_not_working(self) -> str:
        """Why its messages wait; empty while its turns succeed."""
        return _why_silent(self._succeeded_at)

    def _turn(self) -> float:
        turn = self._relay.turn()
        self._succeeded_at = time.monotonic()
        if turn.confirmed:
            return 0.0
        if turn.unconfirmed:
            log.warning("%s: the broker refused %s messages, which wait in the outbox", self.name, turn.unconfirmed)
            return OUTAGE_SECONDS
        return self._rest_seconds


class Resender:
    """Announces again what the broker has lost. In a thread of its own: counting messages may take its time."""

    name = "resender"

    def __init__(self, clock: Clock, queued: Callable[[Lane], int]) -> None:
        self._clock = clock
        self._queued = queued

    def run(self, stop: Event) -> None:
        """Take turns until `stop` is set."""
        while not stop.is_set():
            stop.wait(self.turn())

    def turn(self) -> float:
        """Take one turn and return the seconds to rest before the next one."""
        return _carefully(self.name, self._turn)

    def _turn(self) -> float:
        if again := resend(self._clock(), self._queued):
            log.warning("%s messages are missing in their queues and are sent again", again)
        return RESEND_SECONDS


class Watcher:
    """Looks after invariants, and reads the fleet's figures for whoever scrapes this process.

    In a thread of its own: no run waits for it.
    """

    name = "watcher"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def run(self, stop: Event) -> None:
        """Look until `stop` is set."""
        while not stop.is_set():
            stop.wait(self.turn())

    def turn(self) -> float:
        """One look at everything; the seconds to rest before the next one."""
        for look in (show_fleet, check_fleet_if_due, sample_if_due):
            _carefully(self.name, partial(self._look, look))  # what one of them meets with keeps none of the others
        return WATCH_SECONDS

    def _look(self, look: Callable[[datetime], object]) -> float:
        look(self._clock())
        return WATCH_SECONDS


@contextmanager
def running(loops: Sequence[Loop], stop: Event) -> Iterator[list[Thread]]:
    """Run each loop in a thread of its own inside the block; at its end, stop them and wait for them."""
    threads = [Thread(target=loop.run, args=(stop,), name=loop.name) for loop in loops]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _why_silent(succeeded_at: float) -> str:
    silent = time.monotonic() - succeeded_at
    return f"no turn has succeeded for {silent:.0f} s" if silent > SILENT_SECONDS else ""


def _carefully(name: str, turn: Callable[[], float]) -> float:
    """Take one turn, connected to the database, and return the seconds to rest before the next one."""
    try:
        with connected():
            return turn()
    except (BrokerUnreachable, RemoteError, *DATABASE_OUTAGE) as error:
        log.warning("%s: turn failed, retrying in %s s: %s", name, OUTAGE_SECONDS, error)
        return OUTAGE_SECONDS
    except Exception:
        log.exception("%s: turn failed unexpectedly, retrying in %s s", name, OUTAGE_SECONDS)
        return OUTAGE_SECONDS
