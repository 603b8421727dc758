"""Qonto counts calls by address: one budget for the fleet, and a refusal that everybody respects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from clients.errors import RateLimited
from domain.call_limits import NIGHT, PERSON, QONTO, Share
from services.app_share import MOST_AT_ONCE, AppShare
from services.call_budget import QontoBudget
from services.view_night import view_night
from tests.factories import NOW, make_pause
from tests.integration.conftest import AtOnce

A_MOMENT = timedelta(milliseconds=1)
Budget = Callable[..., QontoBudget]


class Clock:
    """Stands still until it is moved."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(database: str, clock: Clock) -> Budget:
    """Another process's view."""

    def make(share: Share = NIGHT) -> QontoBudget:
        return QontoBudget(AppShare(clock, rest=lambda _: None, service=QONTO), share)

    return make


def take(budget: QontoBudget, most: int) -> int:
    """How many calls it gets, up to so many."""
    for taken in range(most):
        try:
            budget.take()
        except RateLimited:
            return taken
    return most


def refusal(budget: QontoBudget) -> RateLimited:
    with pytest.raises(RateLimited) as refused:
        budget.take()
    return refused.value


def test_processes_share_ten_seconds_of_which_a_night_leaves_some_to_people(budget: Budget, clock: Clock) -> None:
    first, second = budget(), budget()
    taken = take(first, 500) + take(second, 1_000)

    assert 950 - MOST_AT_ONCE <= taken <= 950
    assert taken + take(budget(PERSON), 1_000) <= 980
    until = refusal(budget()).until
    assert timedelta(seconds=10) <= until - clock.now <= timedelta(seconds=10.5)
    clock.now = until
    assert take(budget(), 1) == 1


def test_processes_at_one_moment_take_together_no_more_than_that(budget: Budget, at_once: AtOnce) -> None:
    taken = at_once([lambda: take(budget(), 400)] * 4)

    assert sum(taken) <= 950


def test_ten_minutes_are_counted_too(budget: Budget, clock: Clock) -> None:
    began, taken = clock.now, 0
    while got := take(budget(), 1_000):
        taken += got
        clock.now += timedelta(seconds=11)

    assert 9_500 - 20 * MOST_AT_ONCE <= taken <= 9_500
    until = refusal(budget()).until
    assert timedelta(minutes=10) <= until - began <= timedelta(minutes=10, seconds=10)
    clock.now = until
    assert take(budget(), 1) == 1


@pytest.mark.parametrize("share", [NIGHT, PERSON], ids=["night", "person"])
def test_a_refusal_is_remembered_by_every_process_until_its_moment(budget: Budget, clock: Clock, share: Share) -> None:
    mine, peer = budget(share), budget(share)
    assert (take(mine, 1), take(peer, 1)) == (1, 1)
    until = clock.now + timedelta(seconds=30)

    mine.pause(until)
    clock.now += timedelta(seconds=1)  # a peer's calls in hand are used up by then

    restarted = budget(share)
    assert [refusal(one).until for one in (mine, peer, restarted)] == [until] * 3
    clock.now = until - A_MOMENT
    assert refusal(peer).problem == "Qonto asked us to wait"
    clock.now = until
    assert take(peer, 1) == 1


def test_who_was_refused_uses_nothing_that_it_has_in_hand(budget: Budget, clock: Clock) -> None:
    mine = budget()
    take(mine, 20)

    mine.pause(clock.now + timedelta(seconds=30))

    assert take(mine, 1) == 0


def test_a_longer_pause_is_never_shortened(budget: Budget, clock: Clock) -> None:
    long, short = clock.now + timedelta(minutes=9), clock.now + timedelta(seconds=10)

    budget().pause(long)
    budget().pause(short)

    assert refusal(budget()).until == long


def test_the_fleet_pauses_no_longer_than_the_longest_span_that_qonto_counts(budget: Budget, clock: Clock) -> None:
    budget().pause(clock.now + timedelta(days=1))

    assert refusal(budget()).until == clock.now + timedelta(minutes=10)


def test_what_is_left_is_shown_and_a_pause_of_qontos_is_no_xero_organisations(budget: Budget, clock: Clock) -> None:
    make_pause()
    assert (view_night(clock.now).qonto_calls_left, view_night(clock.now).qonto_until) == (1_000, None)

    take(budget(), 1)
    until = clock.now + timedelta(seconds=30)
    budget().pause(until)

    view = view_night(clock.now)
    assert (view.qonto_calls_left, view.qonto_until, view.tenants_paused) == (999, until, 1)
