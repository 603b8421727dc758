"""Xero's and Qonto's limits, and how much of them a night may use: the rest is for people who wait, and for errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from domain.rate_window import SLOT_MS, SPAN, Window

XERO_MINUTE = 60  # calls to one organisation (developer.xero.com, OAuth 2.0 API limits)
XERO_APP_MINUTE = 10_000  # calls of one app to all organisations
IN_PROGRESS = 4  # of the five that Xero allows at once to one organisation; one is left to a person

DAY_IS_ASKED_AGAIN = timedelta(hours=1)  # Xero says how much of a day is left, not until when
STARTER_DAY, USUAL_DAY = 1_000, 5_000  # calls a day, by what the customer pays Xero
DAY_RESERVE = 10  # one part in so many of a day is left for people and for recovery


@dataclass(frozen=True)
class Limit:
    """The most `calls` of all organisations in any `span`, counted under `scope` in slots."""

    scope: str
    calls: int
    span: timedelta = SPAN
    slot_ms: int = SLOT_MS

    def window(self, slots: tuple[tuple[int, int], ...]) -> Window:
        """Return the count of this limit."""
        return Window(slots, self.span, self.slot_ms)


@dataclass(frozen=True)
class Service:
    """A service and its limits on all our calls together. The first limit's scope names it in the database."""

    name: str
    limits: tuple[Limit, ...]

    @property
    def scope(self) -> str:
        return self.limits[0].scope


XERO = Service("Xero", (Limit("app", XERO_APP_MINUTE),))
QONTO = Service(  # per address (docs.qonto.com, rate limitations); all workers may share one
    "Qonto",
    (
        Limit("qonto", 1_000, timedelta(seconds=10)),
        Limit("qonto_10_minutes", 10_000, timedelta(minutes=10), slot_ms=5_000),
    ),
)


@dataclass(frozen=True)
class Share:
    """What a caller may use in any 60 seconds. Who `insists` asks even when Xero answers nobody, or the day is used."""

    minute: int
    app_minute: int
    insists: bool = False

    def of(self, limit: Limit) -> int:
        """Return how many of a limit's calls this share may use: the same part as of the app's minute."""
        return limit.calls * self.app_minute // XERO_APP_MINUTE


NIGHT = Share(minute=55, app_minute=9_500)
ACCOUNTS = Share(minute=58, app_minute=9_800)  # accounts that follow Qonto: ahead of the night, but nobody looks on
PERSON = Share(minute=58, app_minute=9_800, insists=True)


def day_is_used(left: int | None, most_left: int | None) -> bool:
    """Whether what is left of the day is the reserve. `most_left`, the most ever heard, tells how many a day has."""
    day = USUAL_DAY if (most_left or 0) > STARTER_DAY else STARTER_DAY
    return left is not None and left <= day // DAY_RESERVE
