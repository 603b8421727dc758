"""What a running process has cost so far, as the kernel counts it."""

from __future__ import annotations

import os
import re
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
AFTER_NAME = re.compile(r"^\d+ \(.*\) (.*)$", re.DOTALL)  # the name may hold anything, also brackets
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def cpu_seconds(pid: int) -> float:
    """Seconds of processor time, user and system, of all its threads."""
    return cpu_seconds_in(Path(f"/proc/{pid}/stat").read_text())


def cpu_seconds_in(stat: str) -> float:
    """The same from the text of `/proc/PID/stat`."""
    found = AFTER_NAME.match(stat)
    if found is None:
        raise ValueError(f"not a line of /proc/PID/stat: {stat!r}")
    fields = found[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def peak_megabytes(pid: int) -> float:
    """The most memory it ever had resident, in MiB."""
    return peak_megabytes_in(Path(f"/proc/{pid}/status").read_text())


def peak_megabytes_in(status: str) -> float:
    """The same from the text of `/proc/PID/status`."""
    found = PEAK.search(status)
    if found is None:
        raise ValueError("no VmHWM in /proc/PID/status")
    return int(found[1]) / 1024
