"""Each rule broken on purpose is seen within some hundreds of seeds: so the rest of the seeds means something."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.simulation import simulation

SEEDS = 1_000


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_rule_is_found(mutant: Mutant, record_property: Callable[[str, object], None]) -> None:
    with pytest.MonkeyPatch.context() as patch, simulation() as simulated:
        mutant(patch)
        found = next((outcome for outcome in map(simulated.run, range(SEEDS)) if outcome.violation), None)

    assert found, f"{SEEDS} seeds did not see it"
    record_property("found_by_seed", found.seed)
    print(f"{mutant.__name__}: seed {found.seed}: {found.violation}")  # noqa: T201 - shown with `pytest -s`
