"""Time that nobody sets: for how long something has taken on this machine, also while it slept."""

from __future__ import annotations

import time


def steady_seconds() -> float:
    """Seconds that only ever grow, and go on while the machine sleeps, where it can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
