"""What was done, counted by name; and a line about it for whoever watches."""

from __future__ import annotations

import sys
import time
from collections import Counter


class Tally:
    """Counts, in the order of their first mention, and the seconds since the soak began."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def begin(self) -> None:
        """The chaos begins now."""
        self._began = time.monotonic()

    def add(self, name: str, count: int = 1) -> None:
        self.counts[name] += count

    def say(self, what: str) -> None:
        """One line on standard error, on a terminal only."""
        if sys.stderr.isatty():
            sys.stderr.write(f"{self.seconds:6.0f} s  {what}\n")
            sys.stderr.flush()
