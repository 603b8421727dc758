"""What Xero's response headers say is left, so that we stop before Xero has to refuse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

RESERVE = 5  # calls a minute left for a person who waits
MINUTE = timedelta(seconds=60)


class RateBudget:
    """One process's view of each tenant's minute; safe to share between threads."""

    def __init__(self) -> None:
        self._closed_until: dict[str, datetime] = {}

    def note(self, tenant_id: str, headers: Mapping[str, str], now: datetime) -> None:
        """Learn from one answer. With the reserve reached the tenant's minute counts as used up."""
        left = headers.get("X-MinLimit-Remaining", "")
        if left.isdigit() and int(left) < RESERVE:
            self._closed_until[tenant_id] = now + MINUTE

    def closed_until(self, tenant_id: str, now: datetime) -> datetime | None:
        """Until when this tenant should not be called, if at all."""
        until = self._closed_until.get(tenant_id)
        if until is None or until <= now:
            self._closed_until.pop(tenant_id, None)
            return None
        return until
