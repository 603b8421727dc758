"""What a metric of ours says, for tests that look at it before and after."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import REGISTRY


def counted(name: str, **labels: str) -> Callable[[], float]:
    """How much a metric has grown since this was called."""
    before = REGISTRY.get_sample_value(name, labels) or 0.0
    return lambda: (REGISTRY.get_sample_value(name, labels) or 0.0) - before
