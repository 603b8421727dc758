"""A thousand small nights, each with misfortunes of its own, and what must hold in every one of them.

SIMULATION_SEEDS says how many, SIMULATION_FIRST_SEED from which on; `python -m tests.simulation --seed N -v` tells one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.simulation.simulation import Simulation, simulation

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "1000"))
FIRST = int(os.environ.get("SIMULATION_FIRST_SEED", "1"))
CHUNK = 100


@pytest.fixture(scope="module")
def simulated() -> Iterator[Simulation]:
    with simulation() as made:
        yield made


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, CHUNK))
def test_every_transaction_arrives_once_whatever_goes_wrong(simulated: Simulation, first: int) -> None:
    outcomes = (simulated.run(seed) for seed in range(first, min(first + CHUNK, FIRST + SEEDS)))

    broken = next((outcome for outcome in outcomes if outcome.violation), None)

    assert broken is None, f"{broken.violation}\npython -m tests.simulation --seed {broken.seed} -v"


def test_a_seed_tells_the_same_story_twice(simulated: Simulation) -> None:
    for seed in (7, 40, 55):
        first, *_, again = (simulated.run(number, is_told=True) for number in (seed, seed + 1, seed))

        assert len(first.story) > 10
        assert first == again


def test_seeds_differ(simulated: Simulation) -> None:
    assert len({tuple(simulated.run(seed, is_told=True).story) for seed in range(20)}) == 20
