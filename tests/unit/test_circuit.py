"""When nobody gets an answer we stop asking, and one call at a time finds out that it is over."""

from __future__ import annotations

from datetime import timedelta

from domain.circuit import FAILURES, PROBE_EVERY, Circuit
from tests.unit.fakes import NOW

SECOND = timedelta(seconds=1)


def _after_failures(count: int) -> Circuit:
    circuit = Circuit()
    for _ in range(count):
        circuit = circuit.after(1, answered=False, now=NOW)
    return circuit


def test_a_few_failures_stop_nobody() -> None:
    assert _after_failures(FAILURES - 1).closed_until(NOW) is None


def test_an_answer_in_between_starts_the_count_again() -> None:
    circuit = _after_failures(FAILURES - 1).after(0, answered=True, now=NOW)

    assert circuit.after(1, answered=False, now=NOW).closed_until(NOW) is None


def test_too_many_in_a_row_stop_everybody_until_the_first_probe() -> None:
    assert _after_failures(FAILURES).closed_until(NOW) == NOW + PROBE_EVERY


def test_failures_that_land_later_do_not_put_the_probe_off() -> None:
    circuit = _after_failures(FAILURES).after(3, answered=False, now=NOW + 20 * SECOND)

    assert circuit.closed_until(NOW + 20 * SECOND) == NOW + PROBE_EVERY


def test_one_probe_goes_out_and_the_others_wait_for_the_next() -> None:
    probing = NOW + PROBE_EVERY
    circuit = _after_failures(FAILURES)

    assert circuit.closed_until(probing) is None
    assert circuit.after_probe(probing).closed_until(probing) == probing + PROBE_EVERY


def test_a_probe_that_is_answered_lets_everybody_in() -> None:
    probing = NOW + PROBE_EVERY
    circuit = _after_failures(FAILURES).after_probe(probing)

    assert circuit.after(0, answered=True, now=probing).closed_until(probing) is None


def test_while_it_is_closed_a_call_changes_nothing() -> None:
    assert Circuit(failures=3).after_probe(NOW) == Circuit(failures=3)
