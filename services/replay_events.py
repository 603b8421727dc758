"""A person has events followed once more. Each account is read from Qonto again, so nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from models import audit
from models.database import transaction
from models.inbox import InboxEvent, open_again

AT_ONCE = 500  # events in one transaction


def replay_events(events: Sequence[InboxEvent], who: str, reason: str, now: datetime) -> Iterator[int]:
    """Open them again and tell workers, with an audit entry each; gives how many were opened, chunk by chunk.

    `events` then say so themselves.
    """
    for start in range(0, len(events), AT_ONCE):
        chunk = events[start : start + AT_ONCE]
        with transaction():
            open_again([event.id for event in chunk], now)
            for event in chunk:
                event.handled_at, event.outcome, event.announced_at = None, "", now
                audit.record(who, "event.replay", str(event.id), now, reason)
        yield len(chunk)
