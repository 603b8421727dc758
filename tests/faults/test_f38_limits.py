"""F38 to F40: Xero says "not now", "not today", or nothing at all, to one of us or to everybody."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from tests.acceptance.processes import PUTS, Broker, in_qonto, in_xero
from tests.faults.rig import FaultyCompany, stopped_clock
from tests.faults.xero_side import (
    begin,
    connected,
    moment_of,
    sends,
    until_state,
)
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

DAY_SECONDS = 7200
DELAYED = ("nightly.DQ", "interactive.DQ")
ORGANISATIONS = 30
STORM_SECONDS, PROBE_EVERY = 600, 30
MOST_FAILURES = 20  # until the circuit is open
CLOCK_SLACK = 1  # second by which the company's clock may be behind the world's


@pytest.mark.fault("F38", injected="429 for the minute, Retry-After 37, one tenant of two", holds="I2 I14")
def test_a_minute_limit_is_waited_out_by_its_tenant_alone(company: FaultyCompany, town: WorldClient) -> None:
    limited, free = connected(company, town), connected(company, town, name="Libre SL")
    match = PUTS | {"tenant": limited.tenant}
    town.fault("status", match=match, status=429, problem="minute", retry_after=37)
    begin(company, town)
    with stopped_clock(town):
        until_state(company, "waiting", limited)
        until_state(company, "done", free)

    town.advance(45)
    until_state(company, "done", limited)

    refused, sent = sends(town, limited)
    assert (refused["status"], sent["status"]) == (429, 200)
    assert moment_of(sent) - moment_of(refused) >= timedelta(seconds=37)
    assert moment_of(sends(town, free)[-1]) < moment_of(refused) + timedelta(seconds=37)
    assert [in_xero(party) for party in (limited, free)] == [in_qonto(party) for party in (limited, free)]


@pytest.mark.fault("F39", injected="429 for the day, as a refusal and as a used-up allowance", holds="I2 I14")
def test_a_day_limit_parks_the_tenant_in_the_database(
    company: FaultyCompany, town: WorldClient, broker: Broker
) -> None:
    refused, starter = connected(company, town), connected(company, town, name="Starter SL", xero={"day_limit": 2})
    match = PUTS | {"tenant": refused.tenant}
    town.fault("status", match=match, status=429, problem="day", retry_after=DAY_SECONDS)
    begin(company, town)
    until_state(company, "waiting", refused, starter)

    asked = "SELECT extract(epoch FROM not_before) FROM pause WHERE tenant_id = %s"
    ((until,),) = company.query(asked, refused.tenant)
    told = float(until) - moment_of(sends(town, refused)[0]).timestamp()
    assert told / DAY_SECONDS == pytest.approx(1, rel=0.01)
    assert [broker.waiting(queue) for queue in DELAYED] == [0, 0]
    for party, words in ((refused, "day limit"), (starter, "calls of the day are used up")):
        (run,) = company.run("runs", party.known["slug"], "--json").json
        assert (run["state"], words in run["reason"]) == ("waiting", True), run["reason"]
    calls = _calls(town)

    town.advance(50 * 60)
    assert _calls(town) == calls
    town.control("POST", f"/xero/{starter.tenant}/day-limit", {"day_limit": 5000})
    town.advance(DAY_SECONDS)
    until_state(company, "done", refused, starter)
    assert [in_xero(party) for party in (refused, starter)] == [in_qonto(party) for party in (refused, starter)]


@pytest.mark.fault("F40", injected="503 for everybody, for ten minutes, 30 organisations", holds="I1 I2 I14 I24")
def test_a_storm_costs_few_calls_and_is_over_when_it_is_over(company: FaultyCompany, town: WorldClient) -> None:
    parties = [connected(company, town, rows=2, name=f"Bar {number}") for number in range(ORGANISATIONS)]
    storm = town.fault("status", match={"service": "xero"}, status=503, text="unavailable", times=None)
    for number in range(4):  # more looks at the clock in a second of the test's time
        company.keep_running(f"scheduler {number}", "scheduler")
    begin(company, town)
    with stopped_clock(town):
        company.until(lambda: _open_circuit(company), "the circuit to open")
        until_state(company, "waiting", *parties)
    for _ in range(STORM_SECONDS // PROBE_EVERY):
        _probe(company, town)
    calls = _calls(town)
    town.control("DELETE", f"/faults/{storm}")
    town.advance(PROBE_EVERY)
    _drain(company, town)

    moments = [moment_of(call) for call in calls]
    burst = [moment for moment in moments if moment < moments[0] + timedelta(seconds=PROBE_EVERY - CLOCK_SLACK)]
    probes = moments[len(burst) :]
    apart = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(probes)]
    assert len(burst) <= MOST_FAILURES
    assert min(apart) >= PROBE_EVERY - CLOCK_SLACK
    assert len(calls) <= MOST_FAILURES + (moments[-1] - moments[0]).total_seconds() // PROBE_EVERY + 1
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]


def _probe(company: FaultyCompany, town: WorldClient) -> None:
    before = len(_calls(town))
    town.advance(PROBE_EVERY)
    company.until(lambda: len(_calls(town)) > before, "a probe")


def _drain(company: FaultyCompany, town: WorldClient) -> None:
    """Every night is done within the half hour that a run may rest between two tries."""

    def done() -> bool:
        town.advance(PROBE_EVERY)
        asked = "SELECT DISTINCT state FROM sync_run WHERE kind = 'nightly'"
        return company.query(asked) == [("done",)]

    company.until(done, "the nights to be done after the storm")


def _open_circuit(company: FaultyCompany) -> bool:
    return bool(company.query("SELECT 1 FROM call_budget WHERE scope = 'app' AND probe_at IS NOT NULL"))


def _calls(town: WorldClient) -> list[dict[str, Any]]:
    return sorted(town.requests_made("service=xero&path=/api.xro/"), key=moment_of)
