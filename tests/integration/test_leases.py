"""Leases: one worker at a time for an organisation, and whoever was overtaken writes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import psycopg
import pytest

from models.database import connected
from models.lease import LEASE, Lease, LeaseLost, LeaseRow, take_lease
from models.organisation import Organisation
from tests.counted import counted
from tests.factories import NOW, make_organisation
from tests.integration.conftest import AtOnce
from tests.servers.processes import wait_until

MOMENT = timedelta(milliseconds=1)
WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class MovedClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


Take = Callable[[str], Lease | None]


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def take(database: str, clock: MovedClock) -> Take:
    """Takes the organisation's lease for an owner, if it is free."""
    return lambda owner: take_lease("organisation-1", owner, clock)


@pytest.fixture
def held(take: Take) -> Lease:
    """A lease that somebody holds."""
    lease = take("first")
    assert lease
    return lease


def test_one_owner_holds_the_lease_until_it_ends(take: Take, held: Lease, clock: MovedClock) -> None:
    clock.now += LEASE - MOMENT
    assert take("second") is None

    clock.now += MOMENT
    assert take("second")


def test_not_even_its_own_owner_can_take_it_twice(take: Take, held: Lease) -> None:
    assert take("first") is None


def test_each_organisation_has_a_lease_of_its_own(held: Lease, clock: MovedClock) -> None:
    assert take_lease("organisation-2", "second", clock)


def test_release_lets_the_next_one_in_without_waiting(take: Take, held: Lease) -> None:
    held.release()

    assert take("second")


def test_the_fence_grows_with_every_take_over_and_never_starts_again(take: Take, clock: MovedClock) -> None:
    fences = []
    for owner in ("a", "b", "a", "c"):
        lease = take(owner)
        assert lease
        fences.append(lease.fence)
        if owner == "a":
            lease.release()
        clock.now += LEASE

    assert fences == [1, 2, 3, 4]


def test_only_a_lease_that_was_not_given_back_counts_as_taken_over(take: Take, clock: MovedClock) -> None:
    taken_over = counted("qonto_xero_lease_takeovers_total")
    first = take("first")
    assert first
    assert take("second") is None
    first.release()
    assert take("second")
    assert taken_over() == 0

    clock.now += LEASE
    third = take("third")

    assert taken_over() == 1
    assert third
    with third.holding():
        pass
    third.release()
    assert take("fourth")
    assert taken_over() == 1


def test_holding_renews_the_lease(take: Take, held: Lease, clock: MovedClock) -> None:
    clock.now += LEASE - MOMENT
    with held.holding():
        pass

    clock.now += LEASE - MOMENT
    assert take("second") is None


def test_a_late_holder_that_nobody_overtook_goes_on(take: Take, held: Lease, clock: MovedClock) -> None:
    clock.now += 10 * LEASE

    with held.holding():
        make_organisation()

    assert take("second") is None
    assert Organisation.select().count() == 1


@pytest.mark.parametrize("next_owner", ["second", "first"])
def test_who_was_overtaken_is_told_and_writes_nothing(
    take: Take, held: Lease, clock: MovedClock, next_owner: str
) -> None:
    clock.now += LEASE
    newer = take(next_owner)
    assert newer
    before = LeaseRow.get().expires_at
    rejected = counted("qonto_xero_fence_rejected_total")

    clock.now += timedelta(seconds=10)
    with pytest.raises(LeaseLost, match="organisation-1: fence 1"), held.holding():
        make_organisation()

    assert Organisation.select().count() == 0
    assert LeaseRow.get().expires_at == before
    assert rejected() == 1


def test_who_released_it_can_write_nothing_more(held: Lease) -> None:
    held.release()

    with pytest.raises(LeaseLost), held.holding():
        make_organisation()


def test_whoever_gave_it_back_and_took_it_again_writes_under_the_newer_fence_alone(take: Take, held: Lease) -> None:
    held.release()
    assert take("first")

    with pytest.raises(LeaseLost), held.holding():
        make_organisation()

    assert Organisation.select().count() == 0


def test_an_overtaken_holder_cannot_release_the_next_ones_lease(take: Take, held: Lease, clock: MovedClock) -> None:
    clock.now += LEASE
    take("second")

    held.release()

    assert take("third") is None


def test_what_fails_while_holding_is_taken_back_and_the_lease_stays(take: Take, held: Lease) -> None:
    with suppress(RuntimeError), held.holding():
        make_organisation()
        raise RuntimeError

    assert Organisation.select().count() == 0
    assert take("second") is None
    with held.holding():
        make_organisation()


def test_of_many_takers_at_one_moment_exactly_one_holds_it(take: Take, clock: MovedClock, at_once: AtOnce) -> None:
    for round_ in range(1, 6):
        taken = [lease for lease in at_once([partial(take, f"owner-{n}") for n in range(8)]) if lease]

        assert [lease.fence for lease in taken] == [round_]
        clock.now += LEASE


@pytest.mark.integration
def test_a_take_over_waits_until_the_holders_transaction_has_ended(
    postgresql: str, clock: MovedClock, at_once: AtOnce
) -> None:
    held = take_lease("organisation-1", "first", clock)
    assert held
    late = LEASE + timedelta(hours=1)
    seen: list[int] = []

    def overtake() -> None:
        with connected():
            lease = take_lease("organisation-1", "second", lambda: NOW + late)
            assert lease
            seen.append(Organisation.select().count())

    thread = threading.Thread(target=overtake)
    with psycopg.connect(postgresql, autocommit=True) as watcher, held.holding():
        thread.start()
        wait_until(
            lambda: (watcher.execute(WAITERS).fetchone() or [0])[0] == 1,
            seconds=30,
            what="the take-over to wait",
        )
        make_organisation()
    thread.join(300)

    assert seen == [1]
    with pytest.raises(LeaseLost), held.holding():
        make_organisation()
