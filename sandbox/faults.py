"""Faults on demand: which request they strike, at which stage, how often."""

import asyncio
import re
from enum import StrEnum
from typing import Literal

import msgspec

from sandbox.wire import Call


class Stage(StrEnum):
    """Where on a request's way a fault strikes."""

    GATE = "gate"  # ahead of every check, as if the request never arrived
    WORK = "work"  # in place of, or just before, the work: slot taken, key in progress
    DONE = "done"  # after the commit, before the answer is remembered for its key
    DELIVERY = "delivery"  # after everything: only the client's view is spoiled


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """Which requests; every given part must hold."""

    service: Literal["xero", "identity", "qonto"] | None = None
    method: str | None = None
    path: str | None = None
    tenant: str | None = None
    body: str | None = None


class FaultSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A fault as POST /control/faults takes it; the README says what each field means."""

    action: Literal["drop", "reset", "delay", "hold", "status", "garbage", "truncated", "huge", "redirect"]
    match: Match = msgspec.field(default_factory=Match)
    when: Literal["before", "after"] = "before"
    status: int = 500
    text: str | None = None
    problem: Literal["minute", "day", "concurrent", "appminute"] | None = None
    retry_after: int | None = None
    seconds: float = 0.0
    times: int | None = 1
    skip: int = 0
    sticky_cached: bool | None = None
    location: str | None = None

    @property
    def sticky(self) -> bool:
        """Whether the answer is remembered for its Idempotency-Key, as Xero does with internal errors."""
        return self.action == "status" and (self.status == 500 if self.sticky_cached is None else self.sticky_cached)

    @property
    def stage(self) -> Stage:
        """The one stage at which this fault strikes."""
        if self.when == "after":
            return Stage.DONE if self.sticky else Stage.DELIVERY
        return Stage.WORK if self.sticky or self.action in ("delay", "hold") else Stage.GATE


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
