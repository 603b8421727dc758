"""How accounts follow Qonto: what came of an event about one, and when a closed one need not be read any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.account_choice import CLOSED, IN_USE
from domain.reasons import Followed, LeftOut

PATIENCE = timedelta(minutes=10)  # for Qonto's lists to show what its core has told
SHOWN = timedelta(milliseconds=1)  # how finely Qonto's API shows when an account changed; its core may tell it finer
LATE = timedelta(hours=1)  # after an account was closed, rows may still be committed with earlier times
GLANCE, GLANCES = timedelta(seconds=2), timedelta(seconds=30)  # between two looks: at first, and after half a minute


@dataclass(frozen=True)
class Seen:
    """An account as Qonto shows it now, and what we have done. `version` is its `updated_at`, hidden from some roles.

    `held` is why Xero does not make it, empty if it does; `is_read_whole`: it was read to its end since it was closed;
    `is_unread`: Qonto refuses its transactions, or answers unreadably.
    """

    status: str
    is_external: bool
    version: datetime | None
    is_in_xero: bool
    held: str
    is_read_whole: bool
    is_unread: bool = False


def what_came_of(event_version: datetime, seen: Seen | None, waited: timedelta) -> str | None:
    """What came of an event, in one word of `domain.reasons`; `None` while it is still to be followed.

    An event is a hint: what counts is the account as Qonto shows it, once that is no older than the event.
    """
    if seen is None or (seen.version is not None and event_version - seen.version >= SHOWN):
        return Followed.NOT_SEEN if waited >= PATIENCE else None
    if seen.is_external:
        return LeftOut.EXTERNAL
    if seen.status == CLOSED:
        if seen.is_unread:
            return Followed.GIVEN_UP
        return Followed.STOPPED if seen.is_read_whole else None
    if seen.status != IN_USE:
        return LeftOut.NOT_ACTIVE
    return Followed.IN_XERO if seen.is_in_xero else seen.held or None


def look_again_after(waited: timedelta) -> timedelta:
    """How long to wait for Qonto to show what its core has told."""
    return GLANCE if waited < GLANCES else GLANCES


def is_read_for_good(status: str, version: datetime | None, read_whole_at: datetime | None) -> bool:
    """Whether an account is closed and was read to its end, once long enough after it last changed."""
    if status != CLOSED or version is None or read_whole_at is None:
        return False
    return read_whole_at >= version + LATE
