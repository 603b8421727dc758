"""The budget of calls that a client asks before each one."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class CallBudget(Protocol):
    """The calls of all organisations, which Qonto counts by address."""

    def take(self) -> None:
        """Count one call that is about to be made. Raises RateLimited, with nothing counted, when none is left."""

    def pause(self, until: datetime) -> None:
        """Make no call before a moment that Qonto asked for, or the longest span that it counts."""
