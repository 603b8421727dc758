"""The workers, the scheduler that wakes them, and the messages between: which may be lost, and may come twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from models.sync_run import wake_runs
from scheduler.tick import resend
from services.sync_organisation import ACTOR, sync_organisation
from services.workbench import Workbench
from tests.simulation.baton import Process
from tests.simulation.clocks import Clocks
from tests.simulation.memory_database import MemoryDatabase
from tests.simulation.timeline import Timeline
from tests.simulation.weather import Weather, near_an_edge

UNSENT = "SELECT id, arguments FROM outbox_message WHERE sent_at IS NULL ORDER BY id"
SENT = "UPDATE outbox_message SET sent_at = created_at WHERE sent_at IS NULL"
NEXT = "SELECT MIN(wake_at) FROM sync_run WHERE state IN ('due', 'running', 'waiting')"
GLANCE = (1.0, 30.0)  # seconds between two looks of the scheduler, when something is due
LONGEST_GAP = timedelta(minutes=10)  # between two looks, when nothing is


class Machine:
    """Where one worker runs, dies and is started again."""

    def __init__(self, number: int, new_bench: Callable[[str], Workbench]) -> None:
        self.name = f"worker-{number}"
        self._new_bench = new_bench
        self.restart()

    def restart(self) -> None:
        self.process = Process(self.name)
        self.bench = self._new_bench(self.name)
        self.is_busy = False


class Fleet:
    """Up to four workers and one scheduler, which looks while any run is open."""

    def __init__(
        self, timeline: Timeline, weather: Weather, clocks: Clocks, database: MemoryDatabase, machines: list[Machine]
    ) -> None:
        self.machines = machines
        self._timeline, self._weather, self._clocks, self._database = timeline, weather, clocks, database
        self._messages: deque[int] = deque()
        self._is_looking = False
        timeline.before_step = self._mishap

    # The scheduler.

    def look_soon(self) -> None:
        """Somebody opened a run."""
        if not self._is_looking:
            self._is_looking = True
            self._timeline.after(self._timeline.random.uniform(0, 2), self._look)

    def _look(self) -> None:
        raw = self._database.raw()
        next_wake = raw.execute(NEXT).fetchone()[0]
        self._is_looking = next_wake is not None
        if next_wake is None:
            return
        left = datetime.fromisoformat(next_wake) - self._clocks.database()
        if left <= timedelta(0):
            now = self._clocks.database()
            wake_runs(ACTOR, now)
            resend(now, lambda _: len(self._messages))
        for _, arguments in raw.execute(UNSENT).fetchall():
            self._publish(int(arguments.partition(":")[2].rstrip("}")))
        raw.execute(SENT)
        idle = min(max(left, timedelta(0)), LONGEST_GAP).total_seconds()
        self._timeline.after(idle + self._timeline.random.uniform(*GLANCE), self._look)

    def _publish(self, run_id: int) -> None:
        random, weather = self._timeline.random, self._weather
        if random.random() < weather.lose_message:
            self._timeline.tell("queue", f"the message for run {run_id} is lost")
            return
        for _ in range(2 if random.random() < weather.repeat_message else 1):
            self._timeline.after(random.random(), lambda: self.deliver(run_id))

    def deliver(self, run_id: int) -> None:
        """A message is there for whoever has time."""
        self._messages.append(run_id)
        self._dispatch()

    def _dispatch(self) -> None:
        free = [machine for machine in self.machines if not machine.is_busy and not machine.process.is_dead]
        while self._messages and free:
            machine = free.pop(self._timeline.random.randrange(len(free)))
            self._begin(machine, self._messages.popleft())

    def _begin(self, machine: Machine, run_id: int) -> None:
        machine.is_busy = True
        process, bench = machine.process, machine.bench
        self._timeline.tell(machine.name, f"takes the message for run {run_id}")

        def work() -> None:
            sync_organisation(run_id, bench, self._stopping)
            machine.is_busy = False
            self._timeline.after(0, self._dispatch)

        self._timeline.start(process, work)

    def _stopping(self) -> bool:
        return self._timeline.random.random() < self._weather.leave

    # Misfortune.

    def _mishap(self, process: Process) -> None:
        """Asked before each step of a worker."""
        random, weather = self._timeline.random, self._weather
        if weather.crash and random.random() < weather.crash:
            self._timeline.after(0, lambda: self._crash(process))
            self._timeline.sleep(QUARTER_HOUR)
        elif weather.stop and random.random() < weather.stop:
            seconds = near_an_edge(random)
            self._timeline.tell(process.name, f"stands still for {seconds:.0f} s")
            process.stopped_until = self._timeline.now + seconds
        elif weather.slow and random.random() < weather.slow:
            self._timeline.sleep(random.uniform(0, 8))

    def _crash(self, process: Process) -> None:
        machine = next(one for one in self.machines if one.name == process.name)
        if process.is_dead:
            return
        self._timeline.tell(process.name, "dies")
        self._timeline.kill(process)
        self._timeline.after(near_an_edge(self._timeline.random) / 5, lambda: self._restart(machine))

    def _restart(self, machine: Machine) -> None:
        machine.restart()
        self._dispatch()


QUARTER_HOUR = 900.0  # any time that is over before it has begun: the crash comes first
