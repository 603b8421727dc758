"""Memory of processes that live long: how much more they hold at the end than when they had warmed up."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

MOST_GROWTH = 0.20
PAGE = os.sysconf("SC_PAGE_SIZE")
EVERY_SECONDS = 0.5
PART = 1 / 6  # of the soak: how long the beginning and the end are that are compared


@dataclass(frozen=True)
class Growth:
    """MiB at the end of the warm-up and at the end, 0 for a process that did not live for both."""

    name: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """0.1 for a tenth more."""
        return self.after / self.before - 1

    @property
    def problem(self) -> str:
        """Empty when it was measured and is not too much."""
        if not self.before or not self.after:
            return f"the {self.name} did not live long enough to measure"
        return f"grew too much: {self}" if self.ratio >= MOST_GROWTH else ""

    def __str__(self) -> str:
        if not self.before:
            return f"{self.name}: not measured"
        return f"{self.name}: {self.before:.1f} MiB after the warm-up, {self.after:.1f} at the end, {self.ratio:+.1%}"


@dataclass
class Memory:
    """Samples of resident memory, by process id, with the seconds at which they were taken."""

    samples: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    _next: float = 0.0

    def sample(self, seconds: float, pids: list[int | None]) -> None:
        """Look at these, not too often."""
        if seconds < self._next:
            return
        self._next = seconds + EVERY_SECONDS
        for pid in pids:
            if pid is not None:
                self.samples[pid].append((seconds, resident_megabytes(pid)))

    def growth(self, name: str, pid: int | None, warm_at: float, end_at: float) -> Growth:
        """The median of a part of the soak after the warm-up against the last part, of one that lived for both."""
        seen = self.samples.get(pid or 0, [])
        length = end_at * PART
        early = [size for at, size in seen if warm_at <= at < warm_at + length]
        late = [size for at, size in seen if end_at - length <= at]
        if not early or not late or seen[0][0] > warm_at:
            return Growth(name, 0.0, 0.0)
        return Growth(name, median(early), median(late))


def resident_megabytes(pid: int) -> float:
    """What it holds in memory now; 0 for one that has just ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20
    except (OSError, IndexError):
        return 0.0
