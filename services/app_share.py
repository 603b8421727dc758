"""This process's share of our app's calls a minute: taken from the fleet's count a few at a time.

All workers of the fleet count on one row. Taking each call from it would make them queue there; so a process takes as
many as it used lately, for the second that follows. What it does not use in that second is lost, which is little.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import uniform
from threading import Lock

from clients.clock import Clock
from clients.errors import RateLimited
from domain.call_limits import XERO_APP_MINUTE, Share
from domain.circuit import Circuit
from domain.rate_window import Window
from models.call_budget import APP, lock_budget, read_slots, store_slots
from models.database import transaction, without_waiting_for_disk

BUDGET = "call budget"  # who refused, in a RateLimited of ours
GOOD_FOR = timedelta(seconds=1)
MOST_AT_ONCE = 64
PATIENCE = timedelta(seconds=5)  # a call that may go out so soon waits here: to come back costs more
GLANCE_SECONDS = (0.1, 0.4)
MOST_GLANCES = 20


@dataclass
class _Taken:
    """Calls in hand: `left` of `size`, good until a moment; and what the circuit was when they were taken."""

    size: int = 0
    left: int = 0
    until: datetime | None = None
    circuit: Circuit = field(default_factory=Circuit)

    def next_size(self) -> int:
        """Twice as many if these were not enough, else as many as were used."""
        return max(1, min(2 * self.size, MOST_AT_ONCE) if not self.left else self.size - self.left)


class AppShare:
    """Made once a process, shared by its threads."""

    def __init__(self, clock: Clock, rest: Callable[[float], None] = time.sleep) -> None:
        self._clock = clock
        self.rest = rest
        self._lock = Lock()
        self._taken = _Taken()
        self._failures = 0
        self._answered = False
        self._least_left: int | None = None

    def take(self, share: Share) -> None:
        """One call. Raises RateLimited when the share of the fleet's minute is used up, or Xero does not answer.

        Who insists is told so at once, and asks whether or not Xero answers others.
        """
        if share.insists:
            with self._lock:
                self._take(share)
                return
        for glance in range(MOST_GLANCES):
            try:
                with self._lock:
                    self._take(share)
                    return
            except RateLimited as refused:
                is_soon = refused.until - self._clock() <= PATIENCE and not self._taken.circuit.is_open
                if not is_soon or glance + 1 == MOST_GLANCES:
                    raise
            self.rest(uniform(*GLANCE_SECONDS))  # noqa: S311 - only so that not all look at once

    def answered(self, left: int | None) -> None:
        """Xero answered, and said how many of our app's calls are left."""
        with self._lock:
            self._answered = True
            if left is not None:
                self._least_left = min(left, self._least_left if self._least_left is not None else left)

    def failed(self) -> None:
        """Xero did not answer."""
        with self._lock:
            self._failures += 1

    def settle(self) -> None:
        """Tell the fleet what it should know now: that Xero does not answer, or does again."""
        with self._lock:
            if self._failures or (self._answered and self._taken.circuit.failures):
                with transaction():
                    self._store(*self._read(self._clock()))

    def _take(self, share: Share) -> None:
        now, taken = self._clock(), self._taken
        closed = taken.circuit.is_open and not share.insists
        if closed or not taken.left or not taken.until or now >= taken.until:
            size = 1 if closed else taken.next_size()
            taken.left = taken.size = self._fetch(size, share)
            taken.until = now + GOOD_FOR
        taken.left -= 1

    def _fetch(self, size: int, share: Share) -> int:
        """How many of `size` calls the fleet's minute allows, at least one; they count from now on."""
        now = self._clock()
        with transaction():
            window, circuit = self._read(now)
            until = None if share.insists else circuit.closed_until(now)
            granted = 0 if until else min(size, share.app_minute - window.used(now))
            if granted > 0:
                window = window.with_calls(granted, now)
                circuit = circuit if share.insists else circuit.after_probe(now)
            self._store(window, circuit)
        if until:
            raise RateLimited(BUDGET, "Xero does not answer", until)
        if granted <= 0:
            raise RateLimited(BUDGET, "our calls of the minute are used up", window.opens_at(now))
        return granted

    def _read(self, now: datetime) -> tuple[Window, Circuit]:
        """The fleet's count, corrected by what this process heard since it last looked."""
        without_waiting_for_disk()
        row = lock_budget(APP)
        window = Window(read_slots(row))
        if self._least_left is not None:
            window = window.at_least(XERO_APP_MINUTE - self._least_left, now)
        circuit = Circuit(row.failures, row.probe_at).after(self._failures, answered=self._answered, now=now)
        self._failures, self._answered, self._least_left = 0, False, None
        return window, circuit

    def _store(self, window: Window, circuit: Circuit) -> None:
        self._taken.circuit = circuit
        store_slots(APP, window.slots, failures=circuit.failures, probe_at=circuit.probe_at)
