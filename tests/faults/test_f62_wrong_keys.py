"""Keys that open nothing that is stored: a worker with them does not start, and says why."""

from __future__ import annotations

import base64
import os

import pytest

from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import connected
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]


@pytest.mark.fault("F62", injected="another key than the one that encrypted, at boot", holds="I19")
@pytest.mark.parametrize("ring", ["test", "other"], ids=["another key of that name", "another key"])
def test_a_worker_with_keys_that_open_nothing_refuses_to_start(
    company: FaultyCompany, town: WorldClient, ring: str
) -> None:
    connected(company, town)
    company.routes["ENCRYPTION_KEYS"] = f"{ring}:{base64.b64encode(os.urandom(32)).decode()}"
    worker = company.start("worker")
    code = company.until_ended(worker)
    company.routes.clear()
    assert code == 4
