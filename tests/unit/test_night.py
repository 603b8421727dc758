"""How a night stands: done, in time, late, or nothing moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.night import Standing, how_it_stands, share_done

MINUTE = timedelta(minutes=1)
DUE = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
DEADLINE = DUE + 30 * MINUTE


def _stands(minutes: float, ends_after: float | None = None, **counts: Any) -> Standing:
    """So many minutes into the night, which ends after so many at this pace; half of ten are done unless it says so."""
    end = None if ends_after is None else DUE + ends_after * MINUTE
    told: dict[str, Any] = {"total": 10, "left": 5, "late": 0, "done": 0.5}
    return how_it_stands(DUE + minutes * MINUTE, DEADLINE, end, **told | counts)


@pytest.mark.parametrize(
    ("minutes", "ends_after", "counts", "standing"),
    [
        (0, None, {"total": 0, "left": 0, "done": 1.0}, Standing.UNOPENED),
        (0, None, {"left": 10, "done": 0.0}, Standing.BEGUN),
        (5, None, {"left": 10, "done": 0.0}, Standing.BEGUN),
        (5.1, None, {"left": 10, "done": 0.0}, Standing.STUCK),
        (12, 18, {}, Standing.ON_TIME),
        (12, 30, {}, Standing.ON_TIME),
        (12, 30.1, {}, Standing.LATE),
        (31, 32, {"late": 5}, Standing.LATE),
        (31, None, {"late": 5}, Standing.STUCK),
        (12, None, {"left": 0, "done": 1.0}, Standing.DONE),
        (12, None, {"left": 0, "done": 0.9}, Standing.OVER),
    ],
)
def test_how_a_night_stands(minutes: float, ends_after: float | None, counts: Any, standing: Standing) -> None:
    assert _stands(minutes, ends_after, **counts) is standing


def test_a_country_whose_2330_has_passed_is_late_though_another_has_only_begun() -> None:
    assert _stands(1, 12, late=1) is Standing.LATE
    assert _stands(1, None, late=1) is Standing.STUCK


@pytest.mark.parametrize(
    ("total", "done", "broken", "share"),
    [
        (0, 0, 0, 1.0),
        (10, 5, 0, 0.5),
        (2, 1, 1, 1.0),
        (99, 97, 2, 97 / 99),
        (100, 98, 2, 1.0),
        (100, 49, 2, 0.5),
        (100, 97, 3, 0.97),
        (10_000, 9_800, 200, 1.0),
        (10_000, 9_799, 201, 0.9799),
        (1, 0, 1, 0.0),
        (10_000, 0, 10_000, 0.0),
    ],
)
def test_customers_who_leave_are_no_debt_of_the_night_unless_many_do(
    total: int, done: int, broken: int, share: float
) -> None:
    assert share_done(total, done, broken) == share
