"""What time it is: one reference, asked seldom, carried on by this machine's steady clock."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import pytest

from clients.clock import SteadyClock
from tests.unit.fakes import NOW


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """This machine's steady clock, in seconds, which a test sets."""
    seconds = [100.0]
    monkeypatch.setattr("clients.steady.time.clock_gettime", lambda _: seconds[0])
    return seconds


@pytest.fixture
def reference() -> Iterator[datetime]:
    return iter([NOW, NOW + timedelta(hours=1)])


def test_between_two_looks_time_passes_as_on_this_machine(steady: list[float], reference: Iterator[datetime]) -> None:
    clock = SteadyClock(lambda: next(reference), timedelta(seconds=30))

    assert clock() == NOW
    steady[0] += 30
    assert clock() == NOW + timedelta(seconds=30)


def test_after_a_while_the_reference_is_asked_again_and_believed(
    steady: list[float], reference: Iterator[datetime]
) -> None:
    clock = SteadyClock(lambda: next(reference), timedelta(seconds=30))

    clock()
    steady[0] += 30.001

    assert clock() == NOW + timedelta(hours=1)


def test_while_one_thread_asks_again_the_others_go_on_with_what_is_known(steady: list[float]) -> None:
    is_asked, may_answer = Event(), Event()

    def reference() -> datetime:
        if steady[0] > 100:
            is_asked.set()
            assert may_answer.wait(100)
        return NOW

    clock = SteadyClock(reference, timedelta(seconds=30))
    clock()
    steady[0] += 31

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(clock)
        assert is_asked.wait(100)
        assert clock() == NOW + timedelta(seconds=31)
        may_answer.set()
        assert asking.result(100) == NOW
