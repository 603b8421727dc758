"""What a fault is told to do: which requests it strikes, at which stage, how often."""

from enum import StrEnum
from typing import Literal

import msgspec


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
