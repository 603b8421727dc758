"""Some seeds in one process. Apart from `__main__`, which a process that was spawned cannot import."""

from __future__ import annotations

from tests.simulation.simulation import Outcome, simulation


def run_chunk(seeds: range) -> Outcome | None:
    """The first broken one of these seeds."""
    with simulation() as simulated:
        return next((outcome for outcome in map(simulated.run, seeds) if outcome.violation), None)
