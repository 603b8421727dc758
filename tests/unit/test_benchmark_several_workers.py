"""What several workers cost together, from readings of the kernel's counters."""

from __future__ import annotations

import pytest

from benchmarks.several_workers import REST, Night, Reading, middle, spent


def reading(wall: float, busy: float, **processes: float) -> Reading:
    return Reading(wall, processes, busy)


def night(seconds: float = 2.0, **cores: float) -> Night:
    return Night(60, 3_000, seconds, cost={"workers": 0.6, REST: 0.1}, cores=cores or {"workers": 1.0, REST: 0.5})


def test_what_nobody_we_know_has_used_is_the_rest() -> None:
    before, after = reading(0.0, 10.0, workers=1.0, sandbox=2.0), reading(5.0, 18.0, workers=5.0, sandbox=3.5)
    assert spent(before, after) == {"workers": 4.0, "sandbox": 1.5, REST: 2.5}


def test_the_rest_is_never_less_than_nothing() -> None:
    before, after = reading(0.0, 10.0, workers=1.0), reading(1.0, 10.9, workers=2.0)  # the counters tick apart
    assert spent(before, after)[REST] == 0


def test_a_night_tells_what_it_did_in_a_second_and_what_a_thousand_cost() -> None:
    lived = night()
    assert (lived.per_second, lived.organisations_per_minute) == (1_500, 1_800)
    assert lived.per_thousand("workers") == pytest.approx(0.2)


def test_all_that_was_at_work_counts_as_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.several_workers.os.cpu_count", lambda: 2)
    assert night(workers=1.0, sandbox=0.4, rest=0.1).busy_share == pytest.approx(75)


def test_the_middle_is_taken_of_each_number_by_itself() -> None:
    slow, fast, usual = night(9.0, workers=0.2), night(1.0, workers=0.9), night(4.0, workers=1.4)
    found = middle([slow, fast, usual])
    assert (found.seconds, found.cores["workers"]) == (4.0, 0.9)
