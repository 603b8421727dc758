"""The budget of calls that a client asks before each one, and tells what Xero's answers say is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from clients.numbers import count_of


@dataclass(frozen=True)
class Remaining:
    """What one answer's headers say is left; `None` where they say nothing."""

    minute: int | None = None
    day: int | None = None
    app_minute: int | None = None


class CallBudget(Protocol):
    """One tenant's calls, counted before they are made."""

    def take(self) -> None:
        """Count one call that is about to be made. Raises RateLimited, with nothing counted, when none is left."""

    def take_of_app(self) -> None:
        """The first half of `take`, for whoever counts the second inside a transaction. Raises RateLimited."""

    def count(self) -> None:
        """The second half of `take`. Raises RateLimited: the caller's transaction must then not be kept."""

    def answered(self, left: Remaining) -> None:
        """Xero answered."""

    def failed(self) -> None:
        """Xero did not answer, or not like somebody who works."""

    def settle(self) -> None:
        """Let others know what was learnt since the last call was taken."""


def remaining(headers: Mapping[str, str]) -> Remaining:
    """The three counters that Xero sends with each answer."""
    return Remaining(
        minute=count_of(headers.get("X-MinLimit-Remaining", "")),
        day=count_of(headers.get("X-DayLimit-Remaining", "")),
        app_minute=count_of(headers.get("X-AppMinLimit-Remaining", "")),
    )
