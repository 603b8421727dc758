"""When to stop asking somebody who does not answer anybody, and how to find out that they do again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

FAILURES = 10  # in a row, over all organisations; with the calls then under way fewer than 20 fail
PROBE_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Circuit:
    """`failures` in a row; once there are too many it is open, and one call in `PROBE_EVERY` tries."""

    failures: int = 0
    probe_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.failures >= FAILURES

    def closed_until(self, now: datetime) -> datetime | None:
        """Until when no call may be made; `None` means go, and when it is open you are the probe."""
        return self.probe_at if self.is_open and self.probe_at and self.probe_at > now else None

    def after_probe(self, now: datetime) -> Circuit:
        """A call goes out: while it is open, the next one may only after a while."""
        return replace(self, probe_at=now + PROBE_EVERY) if self.is_open else self

    def after(self, failed: int, *, answered: bool, now: datetime) -> Circuit:
        """What so many calls without an answer since the last look make of it; one answer closes it."""
        if answered:
            return Circuit()
        if not failed:
            return self
        total = self.failures + failed
        opens = total >= FAILURES and not self.is_open
        return Circuit(total, now + PROBE_EVERY if opens else self.probe_at)
