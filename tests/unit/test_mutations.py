"""The table of mutations fits the code as it is: a mutation that fits nothing would prove nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutations.mutation import MovedOn, Mutation
from tests.mutations.table import MUTATIONS

HERE = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_fits_the_code_as_it_is(mutation: Mutation) -> None:
    text = (HERE / mutation.file).read_text()

    compile(mutation.mutated(text), mutation.file, "exec")
    for test in mutation.tests:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (HERE / file).read_text(), test


def test_a_mutation_is_known_by_its_name() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("text", ["nothing of it", "x = 1; x = 1"])
def test_a_mutation_that_does_not_fit_exactly_once_is_refused(text: str) -> None:
    with pytest.raises(MovedOn, match="not once"):
        Mutation("name", "breaks", "file.py", "x = 1", "x = 2", ()).mutated(text)
