"""What is to go wrong, when and how often: drawn from a seed, so that the same seed plans the same chaos."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

MOST_BETWEEN_KILLS = 20.0  # seconds
LOG_BLOCKED_SECONDS = 60.0
FROZEN_SECONDS = 12.0
WRITES_AN_ORGANISATION = 2  # that a night makes, at most, as far as faults are dealt out

XERO_WRITES = {"service": "xero", "method": "PUT"}
XERO_READS = {"service": "xero", "method": "GET"}
TOKENS = {"service": "identity", "path": "/token$"}
QONTO = {"service": "qonto", "method": "GET"}


class Act(StrEnum):
    """What the soak does to our own side."""

    KILL_WORKER = "worker killed"
    KILL_SCHEDULER = "scheduler killed"
    FREEZE_WORKER = "worker frozen, and thawed"
    BLOCK_LOG = "worker with a log that nobody reads"
    RESTART_BROKER = "RabbitMQ killed and started"
    RESTART_DATABASE = "PostgreSQL killed and started"


@dataclass(frozen=True)
class Scale:
    """How big a soak is. `restarts`: whether the servers are killed too."""

    minutes: float = 10.0
    seed: int = 1
    organisations: int = 300
    transactions: int = 20
    restarts: bool = True

    @property
    def seconds(self) -> float:
        return self.minutes * 60

    @property
    def warm_up_seconds(self) -> float:
        """Until then processes may still grow: code is imported, pools and caches fill."""
        return self.seconds / 3

    @property
    def blocked_seconds(self) -> float:
        return min(LOG_BLOCKED_SECONDS, self.seconds / 4)


@dataclass(frozen=True)
class Step:
    """Something to do so many seconds after the start; `draw` chooses between equals."""

    at: float
    act: Act
    draw: float


@dataclass(frozen=True)
class Weather:
    """A kind of fault of the world, and the share of matching requests that it strikes."""

    name: str
    share: float
    match: dict[str, str]
    fault: dict[str, Any]


WEATHER = (
    Weather("Xero's answer lost after it wrote", 0.05, XERO_WRITES, {"action": "drop", "when": "after"}),
    Weather(
        "429 for a write at Xero",
        0.05,
        XERO_WRITES,
        {"action": "status", "status": 429, "problem": "minute", "retry_after": 37},
    ),
    Weather("500, remembered for its key", 0.01, XERO_WRITES, {"action": "status", "status": 500}),
    Weather("503 for a write at Xero", 0.01, XERO_WRITES, {"action": "status", "status": 503}),
    Weather("garbage as answer to a write", 0.01, XERO_WRITES, {"action": "garbage", "when": "after"}),
    Weather("answer to a write cut short", 0.01, XERO_WRITES, {"action": "truncated", "when": "after"}),
    Weather("503 for a read at Xero", 0.01, XERO_READS, {"action": "status", "status": 503}),
    Weather("Xero's token answer lost", 0.01, TOKENS, {"action": "drop", "when": "after"}),
    Weather("500 from Qonto", 0.005, QONTO, {"action": "status", "status": 500}),
)


def faults_of_a_night(scale: Scale, night: int) -> list[tuple[str, dict[str, Any]]]:
    """For a night: each fault's name, and what the sandbox is told; each strikes one request, at its place in line."""
    draw = Random(f"weather {scale.seed} {night}")
    requests = WRITES_AN_ORGANISATION * scale.organisations
    return [
        (kind.name, {"match": kind.match, "times": 1, "skip": place, **kind.fault})
        for kind in WEATHER
        for place in range(requests)
        if draw.random() < kind.share
    ]


def steps(scale: Scale) -> list[Step]:
    """Everything that is done to processes and servers, in order of time."""
    draw, seconds = Random(f"steps {scale.seed}"), scale.seconds
    between = min(MOST_BETWEEN_KILLS, seconds / 6)
    planned = [Step(n * between, Act.KILL_WORKER, draw.random()) for n in range(1, int(seconds / between))]
    # Before the end of the warm-up: the scheduler whose memory is measured lives from there to the end.
    planned.append(Step(seconds * draw.uniform(0.06, 0.12), Act.KILL_SCHEDULER, draw.random()))
    planned.append(Step(seconds * draw.uniform(0.35, 0.45), Act.BLOCK_LOG, draw.random()))
    planned.append(Step(seconds * draw.uniform(0.72, 0.78), Act.FREEZE_WORKER, draw.random()))
    if scale.restarts:
        planned.append(Step(seconds * draw.uniform(0.55, 0.60), Act.RESTART_BROKER, draw.random()))
        planned.append(Step(seconds * draw.uniform(0.64, 0.69), Act.RESTART_DATABASE, draw.random()))
    return sorted(planned, key=lambda step: step.at)
