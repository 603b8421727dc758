"""What a view answers with: a page, or another address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from settings import Secret


@dataclass(frozen=True)
class Page:
    """A template and what it tells; `retry_after` in seconds."""

    template: str
    facts: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    retry_after: int | None = None
    signs_out: bool = False


@dataclass(frozen=True)
class Away:
    """Another address, with GET. `token` is the cookie of a new session; `signs_out` takes the cookie away."""

    location: str
    token: Secret | None = None
    signs_out: bool = False


Answer = Page | Away
