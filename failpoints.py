"""Named places where a test may let a process die, stop, sleep or fail. They do nothing unless armed.

Armed by a folder, which only a sandbox's settings may name: a file `presend` in it that says `kill` ends the next
process that comes to `hit("presend")`. The file is renamed to `presend.fired` first, so one file strikes once,
whichever process or thread comes first; `kill always` strikes each time.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

ALWAYS = "always"


class Failpoint(Exception):
    """What the action `raise` raises."""


class _Armed:
    """The process's folder of failpoints; `None` means that nothing can be armed."""

    folder: Path | None = None


def watch(folder: str) -> None:
    """Look for armed failpoints in `folder` from now on; empty: never."""
    _Armed.folder = Path(folder) if folder else None


def hit(name: str) -> None:
    """A place at which a test may strike."""
    if _Armed.folder is None:
        return
    armed = _Armed.folder / name
    try:
        action, _, rest = armed.read_text().strip().partition(" ")
        if rest != ALWAYS:
            armed.rename(armed.with_suffix(".fired"))
    except FileNotFoundError:
        return  # not armed, or another thread or process was faster
    verb, _, seconds = action.partition(":")
    ACTIONS[verb](seconds)


def _signal(number: signal.Signals) -> Callable[[str], None]:
    """To the calling thread, so that it does not run on while another one takes the signal."""
    return lambda _: signal.pthread_kill(threading.get_ident(), number)


def _fail(_: str) -> None:
    raise Failpoint("armed by a test")


ACTIONS: dict[str, Callable[[str], None]] = {
    "kill": _signal(signal.SIGKILL),
    "stop": _signal(signal.SIGSTOP),
    "sleep": lambda seconds: time.sleep(float(seconds)),
    "raise": _fail,
}
