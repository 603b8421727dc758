"""What is going on, told on a terminal only."""

from __future__ import annotations

import sys
import time

_began = time.monotonic()


def say(what: str) -> None:
    """One line on standard error, with the seconds since the start, if somebody is watching."""
    if sys.stderr.isatty():
        sys.stderr.write(f"{time.monotonic() - _began:6.0f} s  {what}\n")
        sys.stderr.flush()
