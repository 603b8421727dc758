"""One budget for the whole fleet: what one worker used, or heard, counts for all of them, and outlives them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from clients.errors import RateLimited
from clients.xero.budget import Remaining
from domain.call_limits import ACCOUNTS, NIGHT, PERSON, Share
from domain.circuit import FAILURES, PROBE_EVERY
from services.app_share import AppShare
from services.call_budget import StoredBudget
from tests.factories import NOW
from tests.integration.conftest import AtOnce

MINUTE = timedelta(seconds=60)
Budget = Callable[..., StoredBudget]


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
    """Another worker's view of a tenant."""

    def make(tenant: str = "tenant-1", share: Share = NIGHT) -> StoredBudget:
        return StoredBudget(tenant, clock, AppShare(clock, rest=lambda _: None), share)

    return make


def _use(budget: StoredBudget, calls: int) -> None:
    for _ in range(calls):
        budget.take()


def _refusal(budget: StoredBudget) -> RateLimited:
    with pytest.raises(RateLimited) as refusal:
        budget.take()
    return refusal.value


def test_workers_share_a_tenants_minute(budget: Budget, clock: Clock) -> None:
    _use(budget(), NIGHT.minute - 1)
    _use(budget(), 1)

    refusal = _refusal(budget())

    assert MINUTE <= refusal.until - clock.now <= MINUTE + timedelta(seconds=0.5)
    clock.now = refusal.until
    _use(budget(), NIGHT.minute)
    _refusal(budget())


def test_two_workers_at_one_moment_do_not_take_one_call_twice(budget: Budget, at_once: AtOnce) -> None:
    def take_ten() -> int:
        mine = budget()
        for taken in range(10):
            try:
                mine.take()
            except RateLimited:
                return taken
        return 10

    taken = at_once([take_ten] * 6)

    assert sum(taken) == NIGHT.minute


def test_each_tenant_has_a_minute_of_its_own(budget: Budget) -> None:
    _use(budget(), NIGHT.minute)

    budget("tenant-2").take()


def test_a_person_who_waits_may_use_the_reserve(budget: Budget) -> None:
    _use(budget(), NIGHT.minute)

    _use(budget(share=PERSON), PERSON.minute - NIGHT.minute)

    assert "minute" in _refusal(budget(share=PERSON)).problem


def test_an_account_goes_before_the_night_and_waits_as_it_does_for_a_xero_that_does_not_answer(
    budget: Budget, clock: Clock
) -> None:
    _use(budget(), NIGHT.minute)
    _use(budget(share=ACCOUNTS), ACCOUNTS.minute - NIGHT.minute)
    for number in range(FAILURES):
        failing = budget(f"another-{number}")
        failing.take()
        failing.failed()
        failing.settle()

    assert _refusal(budget("tenant-2", share=ACCOUNTS)).problem == "Xero does not answer"


def test_an_account_uses_no_more_of_a_day_than_the_night(budget: Budget) -> None:
    first = budget(share=ACCOUNTS)
    first.take()
    first.answered(Remaining(day=5_000))
    first.take()
    first.answered(Remaining(day=500))

    assert "day" in _refusal(first).problem


def test_what_xero_counts_beyond_our_own_calls_is_heard_by_all(budget: Budget) -> None:
    first = budget()
    first.take()
    first.answered(Remaining(minute=6))
    first.take()

    assert "minute" in _refusal(budget()).problem


def test_our_app_has_a_minute_of_its_own(budget: Budget, clock: Clock) -> None:
    first = budget()
    first.take()
    first.answered(Remaining(app_minute=10_000 - NIGHT.app_minute))
    first.settle()

    assert "our calls" in _refusal(first).problem
    assert "our calls" in _refusal(budget("tenant-2")).problem
    budget("tenant-3", share=PERSON).take()
    clock.now += MINUTE + timedelta(seconds=0.25)
    budget("tenant-2").take()


@pytest.mark.parametrize(("limit", "reserve"), [(5_000, 500), (1_000, 100)])
def test_a_day_that_is_nearly_used_is_left_to_people(budget: Budget, clock: Clock, limit: int, reserve: int) -> None:
    first = budget()
    for left in (limit - 1, reserve + 1):
        first.take()
        first.answered(Remaining(day=left))
    first.take()
    first.answered(Remaining(day=reserve))

    refusal = _refusal(first)

    assert refusal.until == clock.now + timedelta(hours=1)
    budget(share=PERSON).take()
    clock.now = refusal.until
    budget().take()


def test_an_outage_of_xero_is_found_out_by_all_together(budget: Budget, clock: Clock) -> None:
    for number in range(FAILURES):
        failing = budget(f"tenant-{number}")
        failing.take()
        failing.failed()
        failing.settle()

    refusal = _refusal(budget("tenant-99"))

    assert (refusal.until, refusal.problem) == (clock.now + PROBE_EVERY, "Xero does not answer")
    budget("tenant-99", share=PERSON).take()
    clock.now = refusal.until
    probe = budget("tenant-1")
    probe.take()
    _refusal(budget("tenant-2"))
    probe.answered(Remaining())
    probe.settle()
    budget("tenant-2").take()


def test_a_refused_call_counts_nothing(budget: Budget, clock: Clock) -> None:
    _use(budget(), NIGHT.minute)
    for _ in range(10):
        _refusal(budget())

    clock.now += MINUTE + timedelta(seconds=0.25)
    _use(budget(), NIGHT.minute)


def test_a_token_and_the_call_it_is_for_are_one_probe(budget: Budget, clock: Clock) -> None:
    for number in range(FAILURES):
        failing = budget(f"tenant-{number}")
        failing.take()
        failing.failed()
        failing.settle()
    clock.now += PROBE_EVERY
    probe = budget("tenant-99")

    probe.take_for_token()
    probe.take()

    _refusal(budget("tenant-98"))
    _refusal(probe)
