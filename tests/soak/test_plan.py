"""The soak's plan: the same for the same seed, and as much chaos as was asked for."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.soak.memory import Memory
from tests.soak.plan import WEATHER, WRITES_AN_ORGANISATION, Act, Scale, Weather, faults_of_a_night, steps

TEN_MINUTES = Scale(minutes=10, seed=5, organisations=300)
NIGHTS = range(20)


def test_the_same_seed_plans_the_same_chaos_and_another_seed_another() -> None:
    other = Scale(minutes=10, seed=6, organisations=300)

    assert steps(TEN_MINUTES) == steps(Scale(minutes=10, seed=5, organisations=300))
    assert steps(TEN_MINUTES) != steps(other)
    assert faults_of_a_night(TEN_MINUTES, 3) == faults_of_a_night(TEN_MINUTES, 3)
    assert faults_of_a_night(TEN_MINUTES, 3) != faults_of_a_night(TEN_MINUTES, 4)
    assert faults_of_a_night(TEN_MINUTES, 3) != faults_of_a_night(other, 3)


def test_ten_minutes_kill_a_worker_every_twenty_seconds_and_everything_else_once() -> None:
    acts = Counter(step.act for step in steps(TEN_MINUTES))

    assert acts == {act: 29 if act == Act.KILL_WORKER else 1 for act in Act}
    assert [step.at for step in steps(TEN_MINUTES)] == sorted(step.at for step in steps(TEN_MINUTES))


def test_without_restarts_the_servers_are_left_alone() -> None:
    acts = {step.act for step in steps(Scale(minutes=1, restarts=False))}

    assert acts == set(Act) - {Act.RESTART_BROKER, Act.RESTART_DATABASE}


@pytest.mark.parametrize("kind", WEATHER, ids=lambda kind: kind.name)
def test_each_kind_of_fault_strikes_its_share(kind: Weather) -> None:
    struck = Counter(name for night in NIGHTS for name, _ in faults_of_a_night(TEN_MINUTES, night))
    requests = len(NIGHTS) * WRITES_AN_ORGANISATION * TEN_MINUTES.organisations

    assert struck[kind.name] / requests == pytest.approx(kind.share, rel=0.25)


def test_growth_compares_the_end_with_what_was_warm() -> None:
    memory = Memory()
    memory.samples[7] = [(float(second), 50.0 if second < 20 else 60.0 + second / 10) for second in range(60)]

    growth = memory.growth("worker", 7, 20.0, 60.0)

    assert growth.before == pytest.approx(62.5, abs=0.5)
    assert growth.after == pytest.approx(65.5, abs=0.5)
    assert not growth.problem
    memory.samples[7] = [(at, size * (1.0 if at < 40 else 1.3)) for at, size in memory.samples[7]]
    assert "grew too much" in memory.growth("worker", 7, 20.0, 60.0).problem


@pytest.mark.parametrize("pid", [7, None])
def test_a_process_that_began_after_the_warm_up_is_not_measured_and_that_is_a_problem(pid: int | None) -> None:
    memory = Memory()
    memory.samples[7] = [(float(second), 50.0) for second in range(30, 60)]

    assert "did not live long enough" in memory.growth("worker", pid, 20.0, 60.0).problem
