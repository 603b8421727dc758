"""Simulated time: what happens next, who goes on, and the story of it. All chance comes from the seed."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random
from traceback import format_tb

from tests.simulation.baton import Baton, Fiber, PowerCut, Process

MOST_STEPS = 40_000  # a seed takes some hundreds; what takes more does not end
QUICK = 0.02  # seconds that one of our own steps takes at most, when nothing is in its way


class Violation(Exception):
    """What must not happen has happened."""


class Timeline:
    """Events by simulated second. `now` only grows; it is the true time, which no clock need show."""

    def __init__(self, seed: int, baton: Baton, *, is_told: bool) -> None:
        self.random = Random(seed)
        self.baton = baton
        self.now = 0.0
        self.story: list[str] = []
        self.violation: str = ""
        self.before_step: Callable[[Process], None] = lambda _: None
        self._is_told = is_told
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self.steps = 0

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        """Let something happen later."""
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, what))

    def tell(self, who: str, what: str) -> None:
        """A line of the story."""
        if self._is_told:
            self.story.append(f"{self.now:10.3f} {who:12} {what}")

    def violate(self, what: str) -> None:
        """Note the first violation and stop: whoever runs now goes no further."""
        if not self.violation:
            self.violation = what
            self.tell("VIOLATION", what)
        raise PowerCut if self.baton.holder else Violation(what)

    def run(self) -> None:
        """Until nothing is left to happen, or something has gone wrong."""
        while self._events and not self.violation:
            when, _, what = heapq.heappop(self._events)
            self.now = max(self.now, when)
            self._count()
            try:
                what()
            except Violation:
                return

    def _count(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            self.violate(f"it does not end: {MOST_STEPS} steps")

    # What fibers do.

    def start(self, process: Process, body: Callable[[], None]) -> Fiber:
        """A new thread in a process, which begins soon."""
        fiber = Fiber(self.baton, process, body)
        self._wake_after(fiber, self.random.random() * QUICK)
        return fiber

    def step(self) -> None:
        """A touch of the outside: here others may go first, and misfortune may strike."""
        fiber = self.baton.holder
        if fiber is None:
            return
        if fiber.process.is_dead or self.violation:
            raise PowerCut
        self._count()
        self.before_step(fiber.process)
        self.sleep(self.random.random() * QUICK)

    def sleep(self, seconds: float) -> None:
        """The fiber that runs now takes its time."""
        fiber = self.baton.holder
        assert fiber
        until = max(self.now + seconds, fiber.process.stopped_until)
        if not fiber.process.is_dead and (not self._events or self._events[0][0] > until):
            self.now = until  # nobody else would run in between
            return
        fiber.ticket += 1
        self._wake_after(fiber, until - self.now)
        self._pause(fiber)

    def park(self) -> None:
        """The fiber that runs now waits until it is woken."""
        fiber = self.baton.holder
        assert fiber
        fiber.ticket += 1
        self._pause(fiber)

    def wake(self, fiber: Fiber) -> None:
        """Let a fiber that waits go on soon."""
        self._wake_after(fiber, 0.0)

    def kill(self, process: Process) -> None:
        """The process is gone. Its threads learn it one by one, and can do nothing any more."""
        process.is_dead = True
        for fiber in list(process.fibers):
            if fiber.has_begun:
                self._resume(fiber)
            else:
                fiber.has_ended = True

    def bury(self, process: Process) -> None:
        """The seed is over: let what is left of a process end."""
        process.is_dead = True
        for fiber in list(process.fibers):
            if fiber.has_begun:
                fiber.resume()

    def _pause(self, fiber: Fiber) -> None:
        fiber.pause()
        if fiber.process.is_dead or self.violation:
            raise PowerCut

    def _wake_after(self, fiber: Fiber, seconds: float) -> None:
        ticket = fiber.ticket
        self.after(seconds, lambda: self._on_time(fiber, ticket))

    def _on_time(self, fiber: Fiber, ticket: int) -> None:
        if fiber.has_ended or fiber.ticket != ticket:
            return
        if fiber.process.stopped_until > self.now:
            self._wake_after(fiber, fiber.process.stopped_until - self.now)
            return
        self._resume(fiber)

    def _resume(self, fiber: Fiber) -> None:
        fiber.resume()
        if fiber.error:
            where = "".join(format_tb(fiber.error.__traceback__)[-3:])
            self.violate(f"{fiber.process.name} raised {type(fiber.error).__name__}: {fiber.error}\n{where}")
