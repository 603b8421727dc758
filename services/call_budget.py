"""One rate budget for the whole fleet: each call to Xero or Qonto is counted in the database before it is made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clients.clock import Clock
from clients.errors import RateLimited
from clients.xero.budget import Remaining
from domain.call_limits import DAY_IS_ASKED_AGAIN, XERO_MINUTE, Share, day_is_used
from domain.rate_window import Window
from models.call_budget import CallBudget, lock_budget, read_slots, store_slots
from models.database import transaction, without_waiting_for_disk
from services.app_share import BUDGET, AppShare


class QontoBudget:
    """Qonto's limits are by address, so all organisations share them: a view of it, for whoever may use this share."""

    def __init__(self, fleet: AppShare, share: Share) -> None:
        self._fleet = fleet
        self._share = share

    def take(self) -> None:
        """Count one call. Raises RateLimited when none is left, or Qonto asked us to wait."""
        self._fleet.take(self._share)

    def pause(self, until: datetime) -> None:
        """Let nobody of the fleet call before a moment."""
        self._fleet.pause(until)


class StoredBudget:
    """One tenant's view of it, for whoever may use this share."""

    def __init__(self, tenant_id: str, clock: Clock, app: AppShare, share: Share) -> None:
        self._tenant_id = tenant_id
        self._clock = clock
        self._app = app
        self._share = share
        self._heard = Remaining()
        self._in_hand = False  # the app's part was taken already

    def take(self) -> None:
        """Count one call, of the app and of the tenant. Raises RateLimited when none is left."""
        self.take_of_app()
        with transaction():
            without_waiting_for_disk()
            self.count()

    def take_of_app(self) -> None:
        """The app's part of it. Raises RateLimited."""
        if self._in_hand:
            self._in_hand = False
        else:
            self._app.take(self._share)

    def take_for_token(self) -> None:
        """Take the app's part for a token; the call that it is for needs no other, so both are one probe.

        Each try for a token takes one. Raises RateLimited.
        """
        self._app.take(self._share)
        self._in_hand = True

    def count(self) -> None:
        """The tenant's part, inside the caller's transaction. Raises RateLimited: then nothing of it may be kept."""
        now = self._clock()
        heard, self._heard = self._heard, Remaining()
        row = lock_budget(self._tenant_id)
        window = Window(read_slots(row))
        if heard.minute is not None:
            window = window.at_least(XERO_MINUTE - heard.minute, now)
        day: dict[str, Any] = {}
        if heard.day is not None:
            most = max(heard.day, row.day_most_left or 0)
            row.day_left, row.day_most_left, row.day_heard_at = heard.day, most, now
            day = {"day_left": heard.day, "day_most_left": most, "day_heard_at": now}
        refused = self._why_not(row, window, now)
        if refused:
            raise refused
        store_slots(self._tenant_id, window.with_calls(1, now).slots, **day)

    def _why_not(self, row: CallBudget, window: Window, now: datetime) -> RateLimited | None:
        if window.used(now) >= self._share.minute:
            return RateLimited(BUDGET, "this organisation's calls of the minute are used up", window.opens_at(now))
        asked_again = row.day_heard_at + DAY_IS_ASKED_AGAIN if row.day_heard_at else now
        if not self._share.insists and now < asked_again and day_is_used(row.day_left, row.day_most_left):
            return RateLimited(BUDGET, "this organisation's calls of the day are used up", asked_again)
        return None

    def answered(self, left: Remaining) -> None:
        """Xero answered: what it says is left counts, if it is less than we think."""
        self._heard = left
        self._app.answered(left.app_minute)

    def failed(self) -> None:
        """Xero did not answer."""
        self._app.failed()

    def settle(self) -> None:
        """Write down what others should know now."""
        self._app.settle()
