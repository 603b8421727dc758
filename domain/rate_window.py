"""How many calls went out in the last span, and whether one more may: counted in slots, so that it stays small."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

SPAN = timedelta(seconds=60)
SLOT_MS = 250  # a call counts until its slot is a span old: at most this much too long


@dataclass(frozen=True)
class Window:
    """Calls by slot, oldest first: (slot number, calls in it). Immutable; every change gives a new one."""

    slots: tuple[tuple[int, int], ...] = ()
    span: timedelta = SPAN
    slot_ms: int = SLOT_MS

    def used(self, now: datetime) -> int:
        """Calls that still count."""
        oldest = self._oldest(now)
        return sum(calls for slot, calls in self.slots if slot > oldest)

    def with_calls(self, calls: int, now: datetime) -> Window:
        """The window after so many calls more; what no longer counts is forgotten."""
        slot, oldest = _milliseconds(now) // self.slot_ms, self._oldest(now)
        kept = [entry for entry in self.slots if oldest < entry[0] < slot]
        same = sum(count for number, count in self.slots if number >= slot)  # a clock may have been set back a little
        return replace(self, slots=(*kept, (slot, same + calls)))

    def at_least(self, used: int, now: datetime) -> Window:
        """The window once we have heard that the other side counts so many, some of which we may not know of."""
        unknown = used - self.used(now)
        return self.with_calls(unknown, now) if unknown > 0 else self

    def opens_at(self, now: datetime) -> datetime:
        """When the oldest call that counts stops counting; now if none does."""
        oldest = self._oldest(now)
        counting = [slot for slot, calls in self.slots if slot > oldest and calls]
        if not counting:
            return now
        return max(now, self._start(min(counting) + 1, now) + self.span)

    def _oldest(self, now: datetime) -> int:
        """The newest slot whose calls no longer count: its end is a span ago."""
        return (_milliseconds(now) - _milliseconds(self.span)) // self.slot_ms - 1

    def _start(self, slot: int, like: datetime) -> datetime:
        return datetime.fromtimestamp(slot * self.slot_ms / 1000, like.tzinfo)


def _milliseconds(value: datetime | timedelta) -> int:
    return int((value.timestamp() if isinstance(value, datetime) else value.total_seconds()) * 1000)
