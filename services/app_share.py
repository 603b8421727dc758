"""This process's share of all our calls to Xero, or to Qonto: taken from the fleet's count a few at a time.

All workers of the fleet count on one row, or one for each limit. Taking each call from it would make them queue there;
so a process takes as many as it used lately, for the second that follows. What it does not use in that second is lost,
which is little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import uniform
from threading import Lock
from typing import Any

from clients.clock import Clock
from clients.errors import RateLimited
from domain.call_limits import XERO, Service, Share
from domain.circuit import Circuit
from domain.rate_window import Window
from models.call_budget import lock_budget, read_slots, store_slots
from models.database import transaction, without_waiting_for_disk
from models.pause import pause_tenant, paused_until

BUDGET = "call budget"  # who refused, in a RateLimited of ours
CIRCUIT = "circuit"  # the same, while Xero does not answer
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

    def __init__(self, clock: Clock, rest: Callable[[float], None] = time.sleep, service: Service = XERO) -> None:
        self._clock = clock
        self._service = service
        self.rest = rest
        self._lock = Lock()
        self._taken = _Taken()
        self._failures = 0
        self._answered = False
        self._least_left: int | None = None

    def take(self, share: Share) -> None:
        """One call. Raises RateLimited when the share of a limit is used up, or the service asked us to wait.

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

    def pause(self, until: datetime) -> None:
        """Make no call of the fleet before a moment that the service asked for, or its longest span of calls from now.

        After such a span every limit on the fleet is open again; a longer wait is the refused run's alone. What other
        processes have in hand goes out within a second.
        """
        until = min(until, self._clock() + max(limit.span for limit in self._service.limits))
        with self._lock, transaction():
            self._taken.left = 0
            pause_tenant(self._service.scope, until, f"{self._service.name} asked us to wait")

    def answered(self, left: int | None) -> None:
        """It answered, and said how many of our app's calls are left."""
        with self._lock:
            self._answered = True
            if left is not None:
                self._least_left = min(left, self._least_left if self._least_left is not None else left)

    def failed(self) -> None:
        """It did not answer."""
        with self._lock:
            self._failures += 1

    def settle(self) -> None:
        """Tell the fleet what it should know now: that the service does not answer, or does again."""
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
        """How many of `size` calls every limit allows, at least one; they count from now on."""
        now, limits, name = self._clock(), self._service.limits, self._service.name
        with transaction():
            paused = paused_until(self._service.scope, now)
            windows, circuit = self._read(now)
            until = None if share.insists else circuit.closed_until(now)
            left = [share.of(limit) - window.used(now) for limit, window in zip(limits, windows, strict=True)]
            granted = 0 if paused or until else min(size, *left)
            if granted > 0:
                windows = [window.with_calls(granted, now) for window in windows]
                circuit = circuit if share.insists else circuit.after_probe(now)
            self._store(windows, circuit)
        if paused:
            raise RateLimited(BUDGET, f"{name} asked us to wait", paused)
        if until:
            raise RateLimited(CIRCUIT, f"{name} does not answer", until)
        if granted <= 0:
            opens_at = max(window.opens_at(now) for window, calls in zip(windows, left, strict=True) if calls <= 0)
            raise RateLimited(BUDGET, f"our calls to {name} are used up for now", opens_at)
        return granted

    def _read(self, now: datetime) -> tuple[list[Window], Circuit]:
        """The fleet's counts, corrected by what this process heard since it last looked."""
        without_waiting_for_disk()
        limits = self._service.limits
        rows = [lock_budget(limit.scope) for limit in limits]
        windows = [limit.window(read_slots(row)) for limit, row in zip(limits, rows, strict=True)]
        if self._least_left is not None:
            windows[0] = windows[0].at_least(limits[0].calls - self._least_left, now)
        circuit = Circuit(rows[0].failures, rows[0].probe_at)
        circuit = circuit.after(self._failures, answered=self._answered, now=now)
        self._failures, self._answered, self._least_left = 0, False, None
        return windows, circuit

    def _store(self, windows: Sequence[Window], circuit: Circuit) -> None:
        self._taken.circuit = circuit
        changes: dict[str, Any] = {"failures": circuit.failures, "probe_at": circuit.probe_at}
        for limit, window in zip(self._service.limits, windows, strict=True):
            store_slots(limit.scope, window.slots, **changes)
            changes = {}
