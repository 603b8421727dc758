"""What was done and what came of it, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.checker import Report
from tests.soak.memory import Growth
from tests.soak.plan import Scale

MOST_SHOWN = 20


@dataclass(frozen=True)
class Verdict:
    """`problems` is empty when every promise holds."""

    scale: Scale
    done: dict[str, int]
    report: Report
    growth: list[Growth]
    wrong: list[str]
    chaos_seconds: float
    check_seconds: float

    @property
    def problems(self) -> list[str]:
        return [*self.report.problems, *self.wrong, *filter(None, (growth.problem for growth in self.growth))]

    def lines(self) -> Iterator[str]:
        """The table, the classes and invariants, and the verdict."""
        scale = self.scale
        yield f"seed {scale.seed}: {scale.organisations} organisations, {scale.transactions} transactions a night each"
        yield from (f"{count:>9}  {name}" for name, count in self.done.items())
        yield from (f"{line[:300]}" for line in self.report.lines())
        yield from (f"memory of the {growth}" for growth in self.growth)
        yield from (f"WRONG {problem[:500]}" for problem in self.problems[:MOST_SHOWN])
        if len(self.problems) > MOST_SHOWN:
            yield f"... and {len(self.problems) - MOST_SHOWN} more"
        verdict = f"{len(self.problems)} PROBLEMS" if self.problems else "every promise holds"
        yield f"{verdict}, after {self.chaos_seconds:.0f} s of chaos; checked in {self.check_seconds:.1f} s"

    def __str__(self) -> str:
        return "\n".join(self.lines())
