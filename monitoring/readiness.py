"""Whether a process can do its work at this moment: named checks, each bounded, none piled up on itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

log = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
OK = "ok"

# Returns what is wrong in words, empty if nothing is, or raises it. The words hold no secret.
Check = Callable[[], str]


@dataclass(frozen=True)
class Group:
    """Checks that are made one after the other on a thread of their own, inside `around`; together within 2 s.

    Only an exception of a kind in `told` is told in its own words: others may quote anything.
    """

    checks: Mapping[str, Check]
    around: Callable[[], AbstractContextManager[object]] = nullcontext
    told: tuple[type[Exception], ...] = ()


class Probe:
    """Makes the checks of a group. Whoever asks while they are being made waits for the same answer."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._lock = Lock()
        self._round: _Round | None = None

    def begin(self) -> _Round:
        """The round that is under way, or a new one: there is never a second thread."""
        with self._lock:
            if self._round is None or self._round.over.is_set():
                self._round = _Round(self._group)
                Thread(target=self._round.make, name="check", daemon=True).start()
            return self._round


@dataclass
class _Round:
    """What one look found, as far as it has come."""

    group: Group
    found: dict[str, str] = field(default_factory=dict)
    over: Event = field(default_factory=Event)
    began: float = field(default_factory=time.monotonic)

    def make(self) -> None:
        try:
            with self.group.around():
                for name, check in self.group.checks.items():
                    self.found[name] = self._words(check)
        except Exception as error:
            for name in self.group.checks.keys() - self.found.keys():
                self.found[name] = self._told(error)
        finally:
            self.over.set()

    def _words(self, check: Check) -> str:
        try:
            return check() or OK
        except Exception as error:
            return self._told(error)

    def _told(self, error: Exception) -> str:
        return str(error) if isinstance(error, self.group.told) else type(error).__name__

    def answer(self, until: float) -> dict[str, str]:
        """What every check found, or that it has not answered by `until`."""
        self.over.wait(max(0.0, until - time.monotonic()))
        silent = f"no answer for {time.monotonic() - self.began:.0f} s"
        return {name: self.found.get(name, silent) for name in self.group.checks}


class Readiness:
    """All checks of a process, made side by side."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._probes = [Probe(group) for group in groups]

    def ask(self) -> dict[str, str]:
        """Each check by its name: `ok`, or why not. Answers within 2 s, whatever hangs."""
        rounds = [probe.begin() for probe in self._probes]
        until = time.monotonic() + CHECK_SECONDS
        return {name: words for one in rounds for name, words in one.answer(until).items()}
