"""How many calls went out in the last minute, and whether one more may: counted in slots, so that it stays small."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SPAN = timedelta(seconds=60)
SLOT_MS = 250  # a call counts until its slot is a minute old: at most this much too long
SPAN_MS = int(SPAN.total_seconds() * 1000)


@dataclass(frozen=True)
class Window:
    """Calls by slot, oldest first: (slot number, calls in it). Immutable; every change gives a new one."""

    slots: tuple[tuple[int, int], ...] = ()

    def used(self, now: datetime) -> int:
        """Calls that still count."""
        oldest = _oldest(now)
        return sum(calls for slot, calls in self.slots if slot > oldest)

    def with_calls(self, calls: int, now: datetime) -> Window:
        """The window after so many calls more; what no longer counts is forgotten."""
        slot, oldest = _slot(now), _oldest(now)
        kept = [entry for entry in self.slots if oldest < entry[0] < slot]
        same = sum(count for number, count in self.slots if number >= slot)  # a clock may have been set back a little
        return Window((*kept, (slot, same + calls)))

    def at_least(self, used: int, now: datetime) -> Window:
        """The window once we have heard that the other side counts so many, some of which we may not know of."""
        unknown = used - self.used(now)
        return self.with_calls(unknown, now) if unknown > 0 else self

    def opens_at(self, now: datetime) -> datetime:
        """When the oldest call that counts stops counting; now if none does."""
        oldest = _oldest(now)
        counting = [slot for slot, calls in self.slots if slot > oldest and calls]
        if not counting:
            return now
        return max(now, _start(min(counting) + 1, now) + SPAN)


def _slot(moment: datetime) -> int:
    return int(moment.timestamp() * 1000) // SLOT_MS


def _oldest(now: datetime) -> int:
    """The newest slot whose calls no longer count: its end is a minute ago."""
    return (int(now.timestamp() * 1000) - SPAN_MS) // SLOT_MS - 1


def _start(slot: int, like: datetime) -> datetime:
    return datetime.fromtimestamp(slot * SLOT_MS / 1000, like.tzinfo)
