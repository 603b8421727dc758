"""Calls under way on threads of the worker's own, which end in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.in_flight import Landed
from tests.simulation.baton import Fiber
from tests.simulation.timeline import Timeline


class SimInFlight:
    """What `services.in_flight.Threads` is in production: here each thread is a fiber of the process."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._landed: list[Landed[Any, Any]] = []
        self._count = 0
        self._waiting: Fiber | None = None

    @property
    def count(self) -> int:
        return self._count

    def start(self, about: Any, call: Callable[[], Any]) -> None:
        """Begin a call: its bytes leave later, unless the process is held up for too long."""
        fiber = self._timeline.baton.holder
        assert fiber
        self._count += 1
        self._timeline.start(fiber.process, lambda: self._run(about, call))

    def _run(self, about: Any, call: Callable[[], Any]) -> None:
        try:
            result = call()
        except Exception as error:
            self._land(Landed(about, _raising(error)))
        else:
            self._land(Landed(about, lambda: result))

    def _land(self, landed: Landed[Any, Any]) -> None:
        self._landed.append(landed)
        if self._waiting:
            waiting, self._waiting = self._waiting, None
            self._timeline.wake(waiting)

    def land(self) -> Landed[Any, Any]:
        """Any of those that have ended."""
        self._timeline.step()
        if not self._landed:
            self._waiting = self._timeline.baton.holder
            self._timeline.park()
        self._count -= 1
        return self._landed.pop(self._timeline.random.randrange(len(self._landed)))

    def close(self) -> None:
        """What is still under way ends by itself, and nobody takes its result."""


def _raising(error: Exception) -> Callable[[], Any]:
    def result() -> Any:
        raise error

    return result
