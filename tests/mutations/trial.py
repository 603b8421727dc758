"""Each mutation on trial: which test catches it. First the tests themselves, on code that nobody has broken."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.mutations.mutation import MovedOn, Mutation
from tests.mutations.tree import HERE, Run, copy_of, product_of, run_tests

CAUGHT, SURVIVED, UNFIT = "caught", "SURVIVED", "UNFIT"
TOLD_LINES = 25  # of pytest's output, where something is wrong with the trial itself


class Unsound(Exception):
    """Nothing could be concluded from any trial: the tests are red, or are not those of the copy."""


@dataclass(frozen=True)
class Trial:
    """What came of a mutation. `by` is the test that turned red, or why the trial was unfit to tell."""

    name: str
    breaks: str
    verdict: str
    by: str
    seconds: float


def try_all(mutations: Sequence[Mutation], *, processes: int) -> Iterator[Trial]:
    """Each trial, in the order of the table. Raises Unsound when the unbroken code fails a test."""
    with copy_of(HERE) as pristine, ThreadPoolExecutor(processes) as pool:
        _assert_sound(pristine, mutations, pool, processes)
        yield from pool.map(lambda mutation: _try(pristine, mutation), mutations)


def _assert_sound(pristine: Path, mutations: Sequence[Mutation], pool: ThreadPoolExecutor, processes: int) -> None:
    if product_of(pristine) != pristine.resolve():
        raise Unsound(f"a process for {pristine} reads the product from {product_of(pristine)}")
    tests = sorted({test for mutation in mutations for test in mutation.tests})
    shares = [share for number in range(processes) if (share := tests[number::processes])]
    for ran in pool.map(lambda share: run_tests(pristine, share, until_first_failure=False), shares):
        told = ran.testimony
        if ran.exit_code or told.unfit or told.strangers:
            raise Unsound(f"without any mutation: {told.strangers or told.unfit}\n{_end_of(ran)}")


def _try(pristine: Path, mutation: Mutation) -> Trial:
    began = time.monotonic()
    with copy_of(pristine) as tree:
        try:
            mutation.apply(tree)
        except MovedOn as error:
            verdict, by = UNFIT, str(error)
        else:
            verdict, by = _judge(run_tests(tree, mutation.tests, until_first_failure=True))
    return Trial(mutation.name, mutation.breaks, verdict, by, time.monotonic() - began)


def _judge(ran: Run) -> tuple[str, str]:
    told = ran.testimony
    if told.strangers or told.unfit:
        return UNFIT, "; ".join(told.strangers + told.unfit)
    if ran.exit_code == 0 and told.passed:
        return SURVIVED, f"{len(told.passed)} tests stay green"
    if ran.exit_code == 1 and told.failed:
        return CAUGHT, told.failed[0]
    return UNFIT, _end_of(ran)


def _end_of(ran: Run) -> str:
    return "\n".join(ran.output.splitlines()[-TOLD_LINES:])
