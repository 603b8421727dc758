"""What a simulated worker works with: the product's own workbench, over simulated wires, clocks and tokens."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, cast

import pytest

from clients.clock import SteadyClock
from clients.qonto.client import Qonto
from domain.call_limits import NIGHT, QONTO, Share
from models.organisation import Connection
from services.app_share import AppShare
from services.call_budget import QontoBudget
from services.in_flight import Threads
from services.workbench import FOLLOW_DATABASE, Workbench, make_workbench
from settings import Secret, read_settings
from tests.simulation.clocks import Clocks
from tests.simulation.company import APP_URL
from tests.simulation.in_flight import SimInFlight
from tests.simulation.network import SimHttp
from tests.simulation.timeline import Timeline
from tests.simulation.weather import Weather

LONGEST_TOKEN = 400.0  # seconds that a token may take: a peer refreshes it, or the identity server is slow
GLANCE = 0.01


class SimTokens:
    """Access tokens that can always be had, sometimes late."""

    def __init__(self, timeline: Timeline, weather: Weather) -> None:
        self._timeline, self._weather = timeline, weather
        self._number = 1
        self.is_accepted = False

    def current(self) -> Secret:
        self._timeline.step()
        random = self._timeline.random
        if self._weather.slow_token and random.random() < self._weather.slow_token:
            self._timeline.sleep(random.uniform(0, LONGEST_TOKEN))
        return Secret(f"token-{self._number}")

    def revoke(self) -> None: ...

    def renew(self, refused: Secret) -> Secret:  # noqa: ARG002 - Xero refused it by chance
        self._number += 1
        return self.current()


class SimLock:
    """A lock under which a fiber may pause: others look again until it is free."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._is_held = False

    def __enter__(self) -> None:
        while self._is_held:
            self._timeline.sleep(GLANCE)
        self._is_held = True

    def __exit__(self, *_: object) -> None:
        self._is_held = False


def make_base() -> Workbench:
    """What all processes of all seeds share."""
    keys = "test:" + base64.b64encode(bytes(32)).decode()
    return make_workbench(read_settings({"QONTO_XERO_ENCRYPTION_KEYS": keys, "QONTO_XERO_QONTO_APP_URL": APP_URL}))


def make_bench(base: Workbench, machine: str, timeline: Timeline, clocks: Clocks, http: SimHttp) -> Workbench:
    """For a process that has just begun on a machine."""
    clock = SteadyClock(clocks.database, FOLLOW_DATABASE)
    share = AppShare(clock, rest=timeline.sleep)
    qonto_share = AppShare(clock, rest=timeline.sleep, service=QONTO)
    share._lock, qonto_share._lock = cast("Any", SimLock(timeline)), cast("Any", SimLock(timeline))
    return replace(
        base,
        http=http,
        clock=clock,
        machine_clock=lambda: clocks.machine(machine),
        app_share=share,
        qonto_share=qonto_share,
        in_flight=lambda: cast("Threads[Any, Any]", SimInFlight(timeline)),
        xero_api_url="xero:",
    )


def simulate_access(patch: pytest.MonkeyPatch, timeline: Timeline, weather: Weather) -> None:
    """Tokens and Qonto are simulated, for whoever asks a workbench for them."""

    def qonto(bench: Workbench, connection: Connection, share: Share = NIGHT) -> Qonto:
        tokens = SimTokens(timeline, weather)
        budget = QontoBudget(bench.qonto_share, share)
        return Qonto(bench.http, f"qonto://{connection.organisation_id}", tokens, budget, bench.clock)

    patch.setattr(Workbench, "xero_tokens", lambda *_: SimTokens(timeline, weather))
    patch.setattr(Workbench, "qonto", qonto)
    patch.setattr("services.app_share.uniform", timeline.random.uniform)
