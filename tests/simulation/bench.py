"""What a simulated worker works with: the product's clients and budget, over simulated wires and clocks."""

from __future__ import annotations

from typing import Any, cast

from clients.clock import SteadyClock
from clients.oauth import OAuthApp
from clients.qonto.client import Qonto
from clients.xero.client import Xero
from models.encryption import Keyring
from models.organisation import Connection
from services.call_budget import StoredBudget
from services.in_flight import Threads
from services.workbench import FOLLOW_DATABASE, Workbench
from settings import Secret
from tests.simulation.clocks import Clocks
from tests.simulation.company import APP_URL
from tests.simulation.in_flight import SimInFlight
from tests.simulation.network import SimHttp
from tests.simulation.timeline import Timeline
from tests.simulation.weather import Weather

LONGEST_TOKEN = 400.0  # seconds that a token may take: a peer refreshes it, the identity server is slow, a zombie


class SimTokens:
    """Access tokens that can always be had, sometimes late."""

    def __init__(self, timeline: Timeline, weather: Weather) -> None:
        self._timeline, self._weather = timeline, weather
        self._number = 1

    def current(self) -> Secret:
        self._timeline.step()
        random = self._timeline.random
        if self._weather.slow_token and random.random() < self._weather.slow_token:
            self._timeline.sleep(random.uniform(0, LONGEST_TOKEN))
        return Secret(f"token-{self._number}")

    def renew(self, refused: Secret) -> Secret:  # noqa: ARG002 - Xero refused it by chance
        self._number += 1
        return self.current()


class Bench(Workbench):
    """A workbench without secrets: tokens and Qonto are simulated, all else is what production uses."""

    timeline: Timeline
    weather: Weather

    def xero(self, connection: Connection, *, for_person: bool = True) -> Xero:
        budget = StoredBudget(connection.tenant_id, self.clock, for_person=for_person)
        tokens = SimTokens(self.timeline, self.weather)
        return Xero(self.http, self.xero_api_url, connection.tenant_id, tokens, budget, self.clock)

    def qonto(self, connection: Connection) -> Qonto:
        return Qonto(
            self.http, f"qonto://{connection.organisation_id}", SimTokens(self.timeline, self.weather), self.clock
        )


def make_bench(machine: str, timeline: Timeline, weather: Weather, clocks: Clocks, http: SimHttp) -> Bench:
    """For a process that has just begun on a machine."""
    app = OAuthApp("", "", Secret(""), client_in_body=False)
    bench = Bench(
        http=http,
        clock=SteadyClock(clocks.database, FOLLOW_DATABASE),
        keyring=cast("Keyring", None),
        machine_clock=lambda: clocks.machine(machine),
        in_flight=lambda: cast("Threads[Any, Any]", SimInFlight(timeline)),
        xero_api_url="xero:",
        xero_app=app,
        qonto_api_url="",
        qonto_app=app,
        qonto_app_url=APP_URL,
    )
    object.__setattr__(bench, "timeline", timeline)
    object.__setattr__(bench, "weather", weather)
    return bench
