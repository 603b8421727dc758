"""What Xero says is left of a tenant's minute, so that we stop before Xero has to refuse."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clients.xero.budget import MINUTE, RESERVE, RateBudget
from tests.unit.fakes import NOW

LEFT = "X-MinLimit-Remaining"


@pytest.fixture
def budget() -> RateBudget:
    return RateBudget()


@pytest.mark.parametrize("left", ["60", str(RESERVE), "", "many", "-1"])
def test_while_more_than_the_reserve_is_left_or_nothing_is_told_the_tenant_may_be_called(
    budget: RateBudget, left: str
) -> None:
    budget.note("tenant-1", {LEFT: left}, NOW)

    assert budget.closed_until("tenant-1", NOW) is None


def test_an_answer_that_tells_nothing_changes_nothing(budget: RateBudget) -> None:
    budget.note("tenant-1", {LEFT: "0"}, NOW)
    budget.note("tenant-1", {}, NOW)

    assert budget.closed_until("tenant-1", NOW) == NOW + MINUTE


@pytest.mark.parametrize("left", [str(RESERVE - 1), "0"])
def test_below_the_reserve_the_minute_is_used_up_and_then_it_is_not(budget: RateBudget, left: str) -> None:
    budget.note("tenant-1", {LEFT: left}, NOW)

    assert budget.closed_until("tenant-1", NOW + MINUTE - timedelta(microseconds=1)) == NOW + MINUTE
    assert budget.closed_until("tenant-1", NOW + MINUTE) is None


def test_each_tenant_has_a_minute_of_its_own(budget: RateBudget) -> None:
    budget.note("tenant-1", {LEFT: "0"}, NOW)

    assert budget.closed_until("tenant-2", NOW) is None
