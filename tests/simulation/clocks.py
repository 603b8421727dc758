"""Three clocks: Xero's, which is right, the database's and each machine's, of which one kind may be wrong."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from tests.simulation.timeline import Timeline

BEGIN = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)  # 23:00 in Paris
MOST_WRONG = 3600.0  # seconds either way
STEPS = (30.0, 100.0, 299.0, 400.0, 1500.0, MOST_WRONG)


class Clocks:
    """`error` of a clock is how many seconds it is ahead."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.database_error = 0.0
        self.machine_error: defaultdict[str, float] = defaultdict(float)

    def true(self) -> datetime:
        return BEGIN + timedelta(seconds=self._timeline.now)

    def database(self) -> datetime:
        return BEGIN + timedelta(seconds=self._timeline.now + self.database_error)

    def machine(self, name: str) -> datetime:
        return BEGIN + timedelta(seconds=self._timeline.now + self.machine_error[name])

    def steady_seconds(self) -> float:
        return self._timeline.now

    def plan_errors(self, machines: list[str], until: float) -> None:
        """One of the two is set, now or later, once or several times. At the end it stays as wrong as it then is."""
        random = self._timeline.random
        of_database = random.random() < 0.5
        for _ in range(random.randint(1, 3)):
            step = random.choice(STEPS) * random.choice((-1, 1))
            machine = random.choice(machines)
            when = random.choice((0.0, random.uniform(0, until)))
            self._timeline.after(when, lambda m=machine, s=step: self._set("" if of_database else m, s))  # type: ignore[misc]

    def _set(self, machine: str, error: float) -> None:
        self._timeline.tell("clocks", f"{machine or 'the database'} is {error:+.0f} s wrong")
        if machine:
            self.machine_error[machine] = error
        else:
            self.database_error = error
