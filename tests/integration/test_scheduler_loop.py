"""The scheduler's loop: when it counts as working, and what it says of its last look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import cast

import pytest
from prometheus_client import REGISTRY

from messaging.outbox_relay import Published, Relay
from messaging.publisher import BrokerUnreachable
from models.database import DatabaseUnreachable
from models.outbox import OutboxMessage
from models.states import Lane
from scheduler import loop
from scheduler.loop import OUTAGE_SECONDS, REST_SECONDS, SILENT_SECONDS, RelayLoop, Scheduler
from tests.factories import NOW

SUCCESS = "qonto_xero_scheduler_last_success_timestamp_seconds"


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the steady clock says: its last number."""
    now = [1000.0]
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: now[-1]))
    return now


def relay(turn: Callable[[], Published]) -> RelayLoop[OutboxMessage]:
    return RelayLoop(cast("Relay[OutboxMessage]", SimpleNamespace(turn=turn, lane=Lane.NIGHTLY)))


def no_broker() -> Published:
    raise BrokerUnreachable("no broker here")


def test_a_scheduler_says_by_its_own_clock_when_it_last_looked_for_runs(database: str) -> None:
    Scheduler(lambda: NOW).turn()

    assert REGISTRY.get_sample_value(SUCCESS) == NOW.timestamp()


def test_a_scheduler_whose_turns_achieve_nothing_is_not_working(database: str, seconds: list[float]) -> None:
    def no_clock() -> datetime:
        raise DatabaseUnreachable("no clock here")

    turning, hindered = Scheduler(lambda: NOW), Scheduler(no_clock)
    seconds.append(1000 + SILENT_SECONDS + 1)

    turning.turn()
    hindered.turn()

    assert turning.why_not_working() == ""
    assert hindered.why_not_working() == "no turn has succeeded for 31 s"


def test_a_lane_without_a_broker_is_not_working_while_the_scheduler_and_other_lanes_are(
    database: str, seconds: list[float]
) -> None:
    working, hindered, clockwork = relay(lambda: Published(1, 0)), relay(no_broker), Scheduler(lambda: NOW)
    seconds.append(1000 + SILENT_SECONDS + 1)

    for loop_ in (working, hindered, clockwork):
        loop_.turn()

    assert (working.why_not_working(), clockwork.why_not_working()) == ("", "")
    assert hindered.why_not_working() == "no turn has succeeded for 31 s"


@pytest.mark.parametrize(
    ("turn", "rest"),
    [
        pytest.param(Published(1, 0), 0.0, id="all confirmed: there may be more"),
        pytest.param(Published(1, 9), 0.0, id="some confirmed: there is room"),
        pytest.param(Published(0, 9), OUTAGE_SECONDS, id="refused"),
        pytest.param(Published(0, 0), REST_SECONDS, id="nothing to publish"),
    ],
)
def test_a_lane_that_refuses_is_left_alone_for_a_while(database: str, turn: Published, rest: float) -> None:
    assert relay(lambda: turn).turn() == rest
