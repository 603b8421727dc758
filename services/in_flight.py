"""Calls under way: each on a thread of its own, their results one by one as they land. Only calls, no database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

Subject = TypeVar("Subject")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Landed(Generic[Subject, Result]):
    """A call that has ended. `result()` gives what it gave, or raises what it raised."""

    about: Subject
    result: Callable[[], Result]


class InFlight(Protocol[Subject, Result]):
    """Calls that were started and whose results nobody has taken yet."""

    @property
    def count(self) -> int: ...

    def start(self, about: Subject, call: Callable[[], Result]) -> None:
        """Begin a call."""

    def land(self) -> Landed[Subject, Result]:
        """Wait for the next one to end."""

    def close(self) -> None:
        """Wait for nothing more; what is still under way ends by itself, and nobody takes its result."""


class Threads(Generic[Subject, Result]):
    """Up to `most` calls at once. What is still under way when the block ends is left to end by itself."""

    def __init__(self, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, "in-flight")
        self._landed: SimpleQueue[Landed[Subject, Result]] = SimpleQueue()
        self._count = 0

    @property
    def count(self) -> int:
        return self._count

    def start(self, about: Subject, call: Callable[[], Result]) -> None:
        future = self._pool.submit(copy_context().run, call)  # its log lines and spans belong to the job
        self._count += 1
        future.add_done_callback(lambda done: self._landed.put(Landed(about, done.result)))

    def land(self) -> Landed[Subject, Result]:
        landed = self._landed.get()
        self._count -= 1
        return landed

    def close(self) -> None:
        """Start no more threads; those that still wait for an answer end within the call's own limits."""
        self._pool.shutdown(wait=False)
