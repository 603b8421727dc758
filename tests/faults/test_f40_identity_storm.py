"""F40 once more: where tokens come from answers 503 to everybody, and that costs few calls too."""

from __future__ import annotations

import pytest

from tests.acceptance.processes import in_qonto, in_xero
from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import begin, connected, until_state
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

ORGANISATIONS = 30
PROBE_EVERY = 30  # seconds between two tries while nobody is answered
STORM_SECONDS = 600
MOST_FAILURES = 20


@pytest.mark.fault("F40", injected="503 from the identity server for ten minutes, 30 organisations", holds="I2 I24")
def test_a_storm_at_the_identity_server_costs_few_calls_too(company: FaultyCompany, town: WorldClient) -> None:
    parties = [connected(company, town, rows=2, name=f"Bar {number}") for number in range(ORGANISATIONS)]
    after = town.control("GET", "/requests?limit=0")["last_id"]
    storm = town.fault("status", match={"service": "identity"}, status=503, times=None)
    begin(company, town)
    until_state(company, "waiting", *parties)
    for _ in range(STORM_SECONDS // PROBE_EVERY):
        before = _asked(town, after)
        town.advance(PROBE_EVERY)
        company.until(lambda before=before: _asked(town, after) > before, "a probe")  # type: ignore[misc]
    asked = _asked(town, after)
    town.control("DELETE", f"/faults/{storm}")

    def done() -> bool:
        town.advance(PROBE_EVERY)
        return company.query("SELECT DISTINCT state FROM sync_run WHERE kind = 'nightly'") == [("done",)]

    company.until(done, "the nights to be done after the storm")
    assert asked <= MOST_FAILURES + STORM_SECONDS // PROBE_EVERY + 1
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]


def _asked(town: WorldClient, after: int) -> int:
    return len(town.requests_made(f"service=identity&after={after}"))
