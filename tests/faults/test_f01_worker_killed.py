"""F1: a worker killed at each step of its turn. What it had done stands, what it had not is done by the next."""

from __future__ import annotations

import pytest

from tests.acceptance.processes import NIGHT, at, payments, puts
from tests.faults.rig import Failpoints, FaultyCompany
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]


@pytest.mark.fault("F1", injected="kill -9 after the message, before the lease", holds="I1 I2 I16")
def test_killed_after_the_message_before_the_lease(
    company: FaultyCompany, town: WorldClient, failpoints: Failpoints
) -> None:
    party = town.organisation()
    party.pay(*payments(3))
    assert company.connect(party).code == 0
    failpoints.arm("recv", "kill")
    company.keep_running("scheduler", "scheduler")
    worker = company.keep_running("worker", "worker")
    at(town, NIGHT)
    assert company.until_ended(worker) == -9
    assert company.query("SELECT count(*) FROM lease") == [(0,)]
    company.until_night_is_done()
    assert company.restarts["worker"] == 1
    assert len(puts(town)) == 1
    assert company.query("SELECT count(*) FROM sync_run WHERE kind = 'nightly'") == [(1,)]
