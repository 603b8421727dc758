"""Faults on demand: those at large, and which request each strikes."""

import asyncio
import re

from sandbox.fault_spec import FaultSpec, Stage
from sandbox.wire import Call


class Fault:
    """A fault at large: its description and what it has done so far."""

    def __init__(self, number: str, spec: FaultSpec) -> None:
        self.id = number
        self.spec = spec
        self.seen = 0
        self.hits = 0
        self.holding = 0
        self._path = re.compile(spec.match.path, re.IGNORECASE) if spec.match.path else None
        self._released = asyncio.Event()

    def strikes(self, call: Call) -> bool:
        """Count a matching request and say whether this fault takes it."""
        if not self._matches(call) or (self.spec.times is not None and self.hits >= self.spec.times):
            return False
        self.seen += 1
        if self.seen <= self.spec.skip:
            return False
        self.hits += 1
        return True

    async def pause(self) -> None:
        """Keep a request for the fault's seconds, or until it is released."""
        self.holding += 1
        try:
            if self.spec.action == "hold":
                await self._released.wait()
            else:
                await asyncio.sleep(self.spec.seconds)
        finally:
            self.holding -= 1

    def release(self) -> None:
        """Let held requests go, and later ones pass."""
        self._released.set()

    def _matches(self, call: Call) -> bool:
        match = self.spec.match
        return (
            (match.service is None or match.service == call.service)
            and (match.method is None or match.method.upper() == call.method)
            and (match.tenant is None or match.tenant == call.tenant)
            and (self._path is None or self._path.search(call.path) is not None)
            and (match.body is None or match.body.encode() in call.body)
        )


class Faults:
    """The faults at large, oldest first."""

    def __init__(self) -> None:
        self._by_stage: dict[Stage, list[Fault]] = {stage: [] for stage in Stage}
        self._made = 0

    def add(self, spec: FaultSpec) -> Fault:
        """Let a fault loose. Raises re.error for a path that is no regular expression."""
        self._made += 1
        fault = Fault(str(self._made), spec)
        self._by_stage[spec.stage].append(fault)
        return fault

    def all(self) -> list[Fault]:
        """Every fault, oldest first."""
        found = [fault for faults in self._by_stage.values() for fault in faults]
        return sorted(found, key=lambda fault: int(fault.id))

    def remove(self, fault: Fault) -> None:
        """Forget a fault; what it held goes on."""
        fault.release()
        self._by_stage[fault.spec.stage].remove(fault)

    def take(self, stage: Stage, call: Call) -> Fault | None:
        """The fault that strikes this request at this stage, counted as a hit."""
        for fault in self._by_stage[stage]:
            if fault.strikes(call):
                call.fault = fault
                return fault
        return None
