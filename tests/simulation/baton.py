"""Threads of which only one ever runs: whoever holds the baton. The rest is the seed's decision."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread


class PowerCut(BaseException):
    """The process is gone at once: nothing of ours catches it, nothing is tidied up."""


class Process:
    """A worker's process, with a machine of its own. A crash dooms its fibers; the next life is another process.

    `stopped_until`: no fiber of it goes on before that simulated second, as after SIGSTOP or a laptop's lid.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopped_until = 0.0
        self.is_dead = False
        self.fibers: list[Fiber] = []


class Fiber:
    """One thread of a process. `ticket` grows with every pause, so that an old alarm wakes nobody."""

    def __init__(self, baton: Baton, process: Process, body: Callable[[], None]) -> None:
        self.process = process
        self.ticket = 0
        self.has_ended = False
        self.error: BaseException | None = None
        self.fence: tuple[str, int] | None = None  # the organisation and fence of the lease that it took last
        self._baton = baton
        self._body = body
        self._runner: _Runner | None = None
        process.fibers.append(self)

    @property
    def has_begun(self) -> bool:
        return self._runner is not None

    def resume(self) -> None:
        """Hand it the baton until it pauses or ends."""
        if self._runner is None:
            self._runner = self._baton.runner_for(self)
        self._baton.holder = self
        self._runner.go.release()
        self._baton.back.acquire()
        self._baton.holder = None

    def pause(self) -> None:
        """Give the baton back, from inside, and wait for it."""
        assert self._runner
        self._baton.back.release()
        self._runner.go.acquire()

    def run(self) -> None:
        try:
            self._body()
        except PowerCut:
            pass
        except BaseException as error:
            self.error = error
        self.has_ended = True
        self.process.fibers.remove(self)


class _Runner(Thread):
    """A thread that runs one fiber after the other; starting a thread for each would cost more than most fibers do."""

    def __init__(self, baton: Baton) -> None:
        super().__init__(daemon=True)
        self.go = Lock()
        self.go.acquire()
        self.fiber: Fiber | None = None
        self._baton = baton

    def run(self) -> None:
        while True:
            self.go.acquire()
            assert self.fiber
            self.fiber.run()
            self._baton.idle.append(self)
            self._baton.back.release()


class Baton:
    """One for the whole program: `holder` is the fiber that runs now, `None` while the simulation itself does."""

    def __init__(self) -> None:
        self.back = Lock()
        self.back.acquire()
        self.idle: list[_Runner] = []
        self.holder: Fiber | None = None

    def runner_for(self, fiber: Fiber) -> _Runner:
        runner = self.idle.pop() if self.idle else self._new_runner()
        runner.fiber = fiber
        return runner

    def _new_runner(self) -> _Runner:
        runner = _Runner(self)
        runner.start()
        return runner
