"""What a person reads about a run that is not done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.reasons import Broken, Unfinished, Waits
from domain.what_next import NO_SCHEDULER, RunStanding, waits_for_a_moment, what_next

NOW = datetime(2026, 11, 20, 23, 40, tzinfo=UTC)
SOON, TOMORROW = NOW + timedelta(seconds=70), NOW + timedelta(hours=1)


def test_a_run_that_waits_says_until_when_and_that_it_goes_on() -> None:
    limited = RunStanding("waiting", Waits.LIMIT, SOON)
    assert what_next(limited, NOW, is_scheduled=True) == "waits until 23:41:10 UTC, then goes on by itself"


def test_a_moment_of_another_day_has_its_date() -> None:
    limited = RunStanding("waiting", Waits.LIMIT, TOMORROW)
    assert what_next(limited, NOW, is_scheduled=True).startswith("waits until 2026-11-21 00:40:00 UTC")


@pytest.mark.parametrize("run", [RunStanding("due", "", NOW), RunStanding("waiting", Waits.LIMIT, SOON)])
def test_without_a_scheduler_nothing_is_promised(run: RunStanding) -> None:
    assert what_next(run, NOW, is_scheduled=False).endswith(f"{NO_SCHEDULER}, or ask again")


def test_another_run_that_goes_first_names_no_moment() -> None:
    in_line = RunStanding("waiting", Waits.IN_LINE, SOON)
    assert what_next(in_line, NOW, is_scheduled=True) == "goes on by itself"
    assert not waits_for_a_moment(in_line)


@pytest.mark.parametrize("code", [*Broken])
def test_a_broken_connection_is_to_be_connected_again(code: str) -> None:
    assert "connections add" in what_next(RunStanding("failed", code, NOW), NOW, is_scheduled=True)


def test_a_run_that_failed_is_left_to_the_next_night() -> None:
    failed = RunStanding("failed", Unfinished.NOT_IN_TIME, NOW)
    assert what_next(failed, NOW, is_scheduled=True) == "ask again, or wait for the next night"


@pytest.mark.parametrize("state", ["done", "caught_up"])
def test_after_a_run_that_is_over_nothing_comes(state: str) -> None:
    assert what_next(RunStanding(state, "", NOW), NOW, is_scheduled=False) == ""
