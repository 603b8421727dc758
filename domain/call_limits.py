"""Xero's limits, and how much of them a night may use: the rest is for people who wait, and for being wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

XERO_MINUTE = 60  # calls to one organisation (developer.xero.com, OAuth 2.0 API limits)
XERO_APP_MINUTE = 10_000  # calls of one app to all organisations
IN_PROGRESS = 4  # of the five that Xero allows at once to one organisation; one is left to a person

DAY_IS_ASKED_AGAIN = timedelta(hours=1)  # Xero says how much of a day is left, not until when
STARTER_DAY, USUAL_DAY = 1_000, 5_000  # calls a day, by what the customer pays Xero
DAY_RESERVE = 10  # one part in so many of a day is left for people and for recovery


@dataclass(frozen=True)
class Share:
    """What a caller may use in any 60 seconds. Who `insists` asks even when Xero answers nobody, or the day is used."""

    minute: int
    app_minute: int
    insists: bool = False


NIGHT = Share(minute=55, app_minute=9_500)
ACCOUNTS = Share(minute=58, app_minute=9_800)  # accounts that follow Qonto: ahead of the night, but nobody looks on
PERSON = Share(minute=58, app_minute=9_800, insists=True)


def day_is_used(left: int | None, most_left: int | None) -> bool:
    """Whether what is left of the day is the reserve. `most_left`, the most ever heard, tells how many a day has."""
    day = USUAL_DAY if (most_left or 0) > STARTER_DAY else STARTER_DAY
    return left is not None and left <= day // DAY_RESERVE
