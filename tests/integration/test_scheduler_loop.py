"""The scheduler's loop: when it counts as working, and what it says of its last look."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from prometheus_client import REGISTRY

from messaging.outbox_relay import Relay
from messaging.publisher import BrokerUnreachable
from models.outbox import OutboxMessage
from scheduler import loop
from scheduler.loop import SILENT_SECONDS, Scheduler
from tests.factories import NOW

SUCCESS = "qonto_xero_scheduler_last_success_timestamp_seconds"


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the steady clock says: its last number."""
    now = [1000.0]
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: now[-1]))
    return now


def scheduler(turn: object) -> Scheduler:
    return Scheduler(cast("Relay[OutboxMessage]", SimpleNamespace(turn=turn)), lambda: NOW)


def test_a_scheduler_says_by_its_own_clock_when_it_last_looked_for_runs(database: str) -> None:
    scheduler(lambda: 0).turn()

    assert REGISTRY.get_sample_value(SUCCESS) == NOW.timestamp()


def test_a_scheduler_whose_turns_achieve_nothing_is_not_working(database: str, seconds: list[float]) -> None:
    def no_broker() -> int:
        raise BrokerUnreachable

    turning, hindered = scheduler(lambda: 0), scheduler(no_broker)
    seconds.append(1000 + SILENT_SECONDS + 1)

    turning.turn()
    hindered.turn()

    assert turning.why_not_working() == ""
    assert hindered.why_not_working() == "no turn has succeeded for 31 s"
