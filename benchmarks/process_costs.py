"""What a running process has cost so far, as the kernel counts it."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
AFTER_NAME = re.compile(r"^\d+ \(.*\) (.*)$", re.DOTALL)  # the name may hold anything, also brackets
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def cpu_seconds(pid: int) -> float:
    """Seconds of processor time, user and system, of all its threads."""
    return cpu_seconds_in(Path(f"/proc/{pid}/stat").read_text())


def cpu_seconds_in(stat: str) -> float:
    """The same from the text of `/proc/PID/stat`."""
    fields = _fields(stat)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _fields(stat: str) -> list[str]:
    """What follows the process's name; its parent is the second."""
    found = AFTER_NAME.match(stat)
    if found is None:
        raise ValueError(f"not a line of /proc/PID/stat: {stat!r}")
    return found[1].split()


def everybody() -> list[str]:
    """The text of every process's `/proc/PID/stat`."""
    return list(_everybody())


def _everybody() -> Iterator[str]:
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
            yield file.read_text()


def family_seconds(stats: Iterable[str], pid: int) -> float:
    """Processor time of a process and of all that descend from it; a child that has ended is its parent's."""
    children = defaultdict(list)
    ticks = {}
    for stat in stats:
        fields = _fields(stat)
        number = int(stat.partition(" ")[0])
        children[int(fields[1])].append(number)
        ticks[number] = sum(map(int, fields[11:15]))
    if pid not in ticks:
        raise ValueError(f"there is no process {pid}")
    family = [pid]
    for member in family:
        family += children[member]
    return sum(ticks[member] for member in family) / TICKS_PER_SECOND


def busy_seconds() -> float:
    """Seconds that all cores of the machine together have worked so far, for whomever."""
    return busy_seconds_in(Path("/proc/stat").read_text())


def busy_seconds_in(stat: str) -> float:
    """The same from the text of `/proc/stat`: neither idle, nor waiting for a disk, nor lent to another machine."""
    name, *counted = stat.partition("\n")[0].split()
    if name != "cpu":
        raise ValueError(f"not the text of /proc/stat: {stat!r}")
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts = map(int, counted[:7])
    return (user + nice + system + interrupts + soft_interrupts) / TICKS_PER_SECOND


def peak_megabytes(pid: int) -> float:
    """The most memory it ever had resident, in MiB."""
    return peak_megabytes_in(Path(f"/proc/{pid}/status").read_text())


def peak_megabytes_in(status: str) -> float:
    """The same from the text of `/proc/PID/status`."""
    found = PEAK.search(status)
    if found is None:
        raise ValueError("no VmHWM in /proc/PID/status")
    return int(found[1]) / 1024
