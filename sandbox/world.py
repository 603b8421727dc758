"""Everything that exists: one object, no globals."""

from sandbox.clock import Clock
from sandbox.core.core import Core
from sandbox.faults import Faults
from sandbox.ids import Ids
from sandbox.qonto.bank import Bank
from sandbox.requestlog import RequestLog
from sandbox.settings import Settings, with_latency
from sandbox.xero.office import Office


class World:
    """The clock, the two services, Qonto's core, and what tests did to them."""

    def __init__(self, latency: float, frozen_at_ms: int | None, seed: int | None) -> None:
        self.clock = Clock(frozen_at_ms)
        self.settings: Settings = with_latency(latency)
        self.ids = Ids.seeded(seed)
        self.faults = Faults()
        self.requests = RequestLog()
        self.office = Office(self.ids)
        self.bank = Bank(self.ids)
        # Not of the seed: an event's id is used once ever, and whoever listens outlives this process.
        self.core = Core(Ids.seeded(None))

    def reset(self) -> None:
        """Forget both services, what was emitted, the faults and the log; the clock and everything set stays."""
        for fault in self.faults.all():
            self.faults.remove(fault)
        self.requests.clear()
        self.core.forget()
        self.office = Office(self.ids)
        self.bank = Bank(self.ids)
