"""A bounded record of what the core emitted."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from sandbox.core.event import Event

_KEPT = 10_000


@dataclass(slots=True, eq=False)
class Emission:
    """One event emitted once; `published` when the broker has confirmed it."""

    number: int
    event: Event
    published: bool = False

    def content(self) -> dict[str, Any]:
        """The emission as the control API shows it."""
        return {
            "number": self.number,
            "type": self.event.type,
            "id": self.event.id,
            "account_id": self.event.account_id,
            "organisation_id": self.event.organisation_id,
            "body": self.event.body.decode(),
            "headers": self.event.headers,
            "published": self.published,
        }


class Emissions:
    """The last 10,000 emissions; older ones are dropped."""

    def __init__(self) -> None:
        self._kept: deque[Emission] = deque(maxlen=_KEPT)
        self.last = 0

    def add(self, event: Event) -> Emission:
        """Number an event and remember it."""
        self.last += 1
        emission = Emission(self.last, event)
        self._kept.append(emission)
        return emission

    def after(self, number: int) -> list[Emission]:
        """The emissions after this one, oldest first."""
        return [emission for emission in self._kept if emission.number > number]

    def clear(self) -> None:
        """Forget every emission; numbering goes on."""
        self._kept.clear()
