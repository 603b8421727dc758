"""A measured number and what it should be."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What a number should be: at least, or at most, so much."""

    bound: float
    at_least: bool

    def is_met_by(self, measured: float) -> bool:
        return measured >= self.bound if self.at_least else measured <= self.bound

    def fulfilment(self, measured: float) -> float:
        """1 is just met, more is better."""
        if self.at_least:
            return measured / self.bound
        return self.bound / measured if measured > 0 else math.inf


@dataclass(frozen=True)
class Figure:
    """`letter` groups figures of one measurement. A figure without a target is there to be known."""

    letter: str
    what: str
    measured: float
    unit: str
    target: Target | None = None

    @property
    def is_missed(self) -> bool:
        return self.target is not None and not self.target.is_met_by(self.measured)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "missed" if self.is_missed else "holds"

    @property
    def measured_text(self) -> str:
        return f"{number(self.measured)} {self.unit}".strip()

    @property
    def target_text(self) -> str:
        if self.target is None:
            return ""
        bound = f"{number(self.target.bound)} {self.unit}".strip()
        return f"{'at least' if self.target.at_least else 'at most'} {bound}"


def at_least(bound: float) -> Target:
    return Target(bound, at_least=True)


def at_most(bound: float) -> Target:
    return Target(bound, at_least=False)


def number(value: float) -> str:
    """Three digits that count, and thousands apart."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def growth(small: float, large: float, *, tenfold: float = 10.0) -> float:
    """The exponent with which a cost grew as the work grew: 1 is linear, 2 is quadratic."""
    return math.log(large / small) / math.log(tenfold)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
