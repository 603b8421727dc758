"""F53 and F54: everybody is due at once, and one of them is big."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from domain.call_limits import NIGHT
from tests.acceptance.processes import Company, in_qonto, in_xero
from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import MINUTE, begin, connected, moment_of, most_in_a_minute, until_state
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

HERD = 300
USED_BY_OTHERS = 9_000  # calls of our app's 10,000 in each minute, as Xero tells us
APP_SHARE, TENANT_SHARE = NIGHT.app_minute, NIGHT.minute
UNDER_WAY = 16  # calls of which Xero's count may not know yet when it is told to us
BIG_ROWS = 2_900
SMALL = 40


@pytest.fixture
def crowded(town: WorldClient) -> Iterator[None]:
    """Xero answers as if others had used most of our app's minute."""
    town.settings(app_minute_limit=10_000 - USED_BY_OTHERS)
    yield
    town.settings(app_minute_limit=10_000)


@pytest.mark.fault(
    "F53", injected="300 organisations due at 23:00:00, with 500 calls a minute left to our app", holds="I1 I2 I14"
)
@pytest.mark.usefixtures("crowded")
def test_a_herd_stays_within_the_apps_minute_and_each_tenants(company: FaultyCompany, town: WorldClient) -> None:
    parties = [connected(company, town, rows=1, name=f"Bar {number}") for number in range(HERD)]
    after = town.control("GET", "/requests?limit=0")["last_id"]
    begin(company, town)
    _live_until_all_is_posted(company, town)

    calls = town.requests_made(f"service=xero&after={after}")
    assert {call["status"] for call in calls} == {200}
    assert len(calls) > 2 * (APP_SHARE - USED_BY_OTHERS), "the limit that this test is about was never reached"
    most = most_in_a_minute([moment_of(call) for call in calls])
    assert USED_BY_OTHERS + most <= APP_SHARE + UNDER_WAY
    until_state(company, "done", *parties[:1], *parties[-1:])


@pytest.mark.fault(
    "F54", injected="one organisation with 2,900 rows before 40 small ones, one worker thread", holds="I1 I2 I14"
)
def test_a_big_organisation_delays_no_small_one(company: FaultyCompany, town: WorldClient) -> None:
    big = connected(company, town, rows=BIG_ROWS, name="Grande SL")
    [connected(company, town, rows=2, name=f"Bar {number}") for number in range(SMALL)]
    begin(company, town, "--threads", "1")
    _live_until_all_is_posted(company, town)

    writes = town.requests_made("service=xero&method=PUT&path=/BankTransactions$")
    last_small = max(index for index, put in enumerate(writes) if put["tenant"] != big.tenant)
    big_before = [put for put in writes[:last_small] if put["tenant"] == big.tenant]
    assert len(big_before) <= 10, "more than one turn of the big one came before the last small one"
    of_big = [moment_of(call) for call in town.requests_made(f"service=xero&tenant={big.tenant}")]
    assert len(of_big) > TENANT_SHARE, "the limit that this test is about was never reached"
    assert most_in_a_minute(of_big) <= TENANT_SHARE
    assert in_xero(big) == in_qonto(big)


def _live_until_all_is_posted(company: Company, town: WorldClient) -> None:
    """Whoever waits for the next minute gets it as soon as nobody is at work."""
    seen: list[Any] = []

    def done() -> bool:
        (row,) = company.query(
            """SELECT count(*) FILTER (WHERE state <> 'done'), count(*) FILTER (WHERE state <> 'waiting'),
                      sum(turns), max(wake_at) FROM sync_run WHERE kind = 'nightly'"""
        )
        still = row == (seen[-1] if seen else None)
        seen.append(row)
        if still and _nobody_works(company):
            town.advance(MINUTE / 2)
        return bool(row[0] == 0 and row[1])

    company.until(done, "every night to be done", seconds=180)


def _nobody_works(company: Company) -> bool:
    return company.query(
        "SELECT (SELECT count(*) FROM lease WHERE owner <> ''), (SELECT count(*) FROM sync_run WHERE wave <> '')"
    ) == [(0, 0)]
