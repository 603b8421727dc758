"""One rate budget for the whole fleet: each call to Xero is counted in the database before it is made."""

from __future__ import annotations

from datetime import datetime, timedelta

from clients.clock import Clock
from clients.errors import RateLimited
from clients.xero.budget import Remaining
from domain.call_limits import (
    NIGHT,
    PAUSE_WHEN_DAY_IS_USED,
    PERSON,
    XERO_APP_MINUTE,
    XERO_MINUTE,
    Share,
    day_is_used,
)
from domain.circuit import Circuit
from domain.rate_window import Window
from models.call_budget import APP, CallBudget, lock_budgets, read_slots, store_budget
from models.database import transaction

BUDGET = "call budget"  # who refused, in a RateLimited of ours


class StoredBudget:
    """One tenant's view of it. A person who waits may use a reserve, and is not held back by the day's or Xero's."""

    def __init__(self, tenant_id: str, clock: Clock, *, for_person: bool) -> None:
        self._tenant_id = tenant_id
        self._clock = clock
        self._share: Share = PERSON if for_person else NIGHT
        self._for_person = for_person
        self._heard = Remaining()
        self._failures = 0
        self._answered = False
        self._trouble = False  # whether the circuit had failures when last seen

    def take(self) -> None:
        """Count one call, of the tenant and of the app. Raises RateLimited, with nothing counted, when none is left."""
        now = self._clock()
        with transaction():
            rows = lock_budgets((self._tenant_id, APP))
            mine, ours, circuit = self._learn(rows[self._tenant_id], rows[APP], now)
            refused = self._why_not(rows[self._tenant_id], mine, ours, circuit, now)
            if not refused:
                mine, ours, circuit = mine.with_calls(1, now), ours.with_calls(1, now), circuit.after_probe(now)
            self._store(rows, mine, ours, circuit)
        if refused:
            raise refused

    def answered(self, left: Remaining) -> None:
        """Xero answered: what it says is left counts, if it is less than we think."""
        self._heard, self._answered = left, True

    def failed(self) -> None:
        """Xero did not answer."""
        self._failures += 1

    def settle(self) -> None:
        """Write down what others should know now: failures, and that they are over."""
        if not self._failures and not (self._answered and self._trouble):
            return
        now = self._clock()
        with transaction():
            rows = lock_budgets((self._tenant_id, APP))
            self._store(rows, *self._learn(rows[self._tenant_id], rows[APP], now))

    def _learn(self, tenant: CallBudget, app: CallBudget, now: datetime) -> tuple[Window, Window, Circuit]:
        """The rows as values, corrected by what was heard since the last time."""
        left, failures, answered = self._heard, self._failures, self._answered
        self._heard, self._failures, self._answered = Remaining(), 0, False
        mine, ours = Window(read_slots(tenant)), Window(read_slots(app))
        if left.minute is not None:
            mine = mine.at_least(XERO_MINUTE - left.minute, now)
        if left.app_minute is not None:
            ours = ours.at_least(XERO_APP_MINUTE - left.app_minute, now)
        if left.day is not None:
            tenant.day_left, tenant.day_most_left = left.day, max(left.day, tenant.day_most_left or 0)
        circuit = Circuit(app.failures, app.probe_at).after(failures, answered=answered, now=now)
        return mine, ours, circuit

    def _why_not(
        self, tenant: CallBudget, mine: Window, ours: Window, circuit: Circuit, now: datetime
    ) -> RateLimited | None:
        if mine.used(now) >= self._share.minute:
            return RateLimited(BUDGET, "this organisation's calls of the minute are used up", mine.opens_at(now))
        if ours.used(now) >= self._share.app_minute:
            return RateLimited(BUDGET, "our calls of the minute are used up", ours.opens_at(now))
        if self._for_person:
            return None
        if day_is_used(tenant.day_left, tenant.day_most_left):
            tenant.day_left = None  # the next call after the pause asks anew
            until = now + timedelta(seconds=PAUSE_WHEN_DAY_IS_USED)
            return RateLimited(BUDGET, "this organisation's calls of the day are used up", until)
        until_probe = circuit.closed_until(now)
        return RateLimited(BUDGET, "Xero does not answer", until_probe) if until_probe else None

    def _store(self, rows: dict[str, CallBudget], mine: Window, ours: Window, circuit: Circuit) -> None:
        self._trouble = circuit.failures > 0
        store_budget(rows[self._tenant_id], mine.slots)
        store_budget(rows[APP], ours.slots, circuit.failures, circuit.probe_at)
