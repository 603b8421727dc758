"""A request and its answer, as a site sees them, and what a server asks of a site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


@dataclass(frozen=True)
class Place:
    """What a site answers at: a method and a path."""

    method: str
    path: str


P = TypeVar("P", bound=Place)


@dataclass(frozen=True)
class Asked(Generic[P]):
    """A request, read whole. `reference` names it in the log and to the person."""

    route: P | None
    path: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    peer: str
    reference: str
    status: int = 404  # when there is no route


@dataclass
class Told:
    """An answer, ready to be sent. A cookie with an empty value goes away."""

    status: int
    headers: dict[str, str]
    body: str = ""
    cookies: dict[str, str] = field(default_factory=dict)


class Served(Protocol[P]):
    """A site that a server can serve."""

    @property
    def name(self) -> str:
        """What the log calls it."""
        ...

    @property
    def routes(self) -> Sequence[P]:
        """All that it answers at, but for files that never change."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What goes with every answer."""
        ...

    def goes_by(self, host: str) -> bool:
        """Whether it is served under this name: what a browser put into `Host`."""
        ...

    def serve(self, asked: Asked[P]) -> Told:
        """Answer, whatever happens. Blocking; called by any thread."""
        ...
