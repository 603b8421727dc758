"""What it means that Qonto or Xero does not let us in: when to ask again, and when the connection has ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

LEAST_REFUSALS = 5
LEAST_TIME = timedelta(hours=6)  # longer than a firewall's mood, a deploy, or most outages
# Tries after the first refusal. The first come soon, for a night that can still be in time. All are few, because above
# 200 refused calls an hour Qonto throttles everything that we ask.
TRIES_AFTER = tuple(timedelta(minutes=minutes) for minutes in (2, 10, 30, 60, 120, 240, 360))
LATER_TRIES = timedelta(minutes=30)

PROBE_EVERY = timedelta(hours=16)  # at most once a date: before the next night, if a night broke the connection

# The fleet brake. Customers leave one by one; when many seem to leave at once, the fault is ours, Xero's or Qonto's.
BRAKE_WINDOW = timedelta(minutes=10)
BRAKE_LEAST = 5  # connections that would end within the window
BRAKE_SHARE = 100  # and more than one in so many of the live ones
HELD_TRIES = timedelta(minutes=30)  # between two tries of a connection whose end is held back
HELD_COUNTS = timedelta(minutes=45)  # how long one counts for the brake after a try: its next try may come late


class Side(StrEnum):
    """Who lets us in, or does not."""

    QONTO = "qonto"
    XERO = "xero"


def side_of(call: str) -> Side:
    """Return whom a call asks, as an error names it."""
    return Side.QONTO if "Qonto" in call or "/v2/" in call else Side.XERO


def is_final(refused_since: datetime, refusals: int, now: datetime) -> bool:
    """Return whether refusals, each of which may be an accident, suffice together to end a connection."""
    return refusals >= LEAST_REFUSALS and now - refused_since >= LEAST_TIME


def next_try(refused_since: datetime, now: datetime) -> datetime:
    """Return when to ask again after a refusal."""
    return next((at for after in TRIES_AFTER if (at := refused_since + after) > now), now + LATER_TRIES)


def final_at(refused_since: datetime) -> datetime:
    """Return until when we go on trying at least, before a connection ends."""
    return refused_since + LEAST_TIME


def pending_since(ends_since: datetime | None, held_until: datetime | None, now: datetime) -> datetime:
    """Return since when a connection's end has been pending; now, if it was not looked at again in time.

    What others did meanwhile is not known then, and the brake must see a whole window.
    """
    if ends_since is None or now > (held_until or ends_since + 2 * BRAKE_WINDOW):
        return now
    return ends_since


def brake_counts_from(pending_since: datetime, now: datetime) -> datetime:
    """Return from when on others that would end are counted with one that has been pending, for a window or longer."""
    return max(pending_since, now - 2 * BRAKE_WINDOW) - BRAKE_WINDOW


def counted_for_brake(live: int) -> int:
    """Return how many connections that would end within the window put the brake on."""
    return max(BRAKE_LEAST, live // BRAKE_SHARE + 1)


def can_brake(live: int) -> bool:
    """Return whether so many connections live that the brake may come on at all."""
    return live >= BRAKE_LEAST
