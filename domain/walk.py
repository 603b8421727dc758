"""How to read a list that moves while it is read: by keyset, so that an edited row can shift nothing out of sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

TICK = timedelta(milliseconds=1)  # Qonto's resolution; whether `updated_at_from` includes its own moment is not told


@dataclass(frozen=True)
class Position:
    """Ask for rows updated from `updated_from` on, oldest first, page `page`."""

    updated_from: datetime
    page: int = 1


def reached(moments: Sequence[datetime], until: datetime) -> datetime | None:
    """Return the moment up to which a page shows the list; `None` when its moments do not show it.

    A page that is out of order, or that ends later than `until`, has a wrong moment on it: rows may follow that are
    older than its last one.
    """
    in_order = all(earlier <= later for earlier, later in pairwise(moments))
    return moments[-1] if moments and in_order and moments[-1] <= until else None


def next_position(position: Position, last_updated_at: datetime, *, more: bool) -> Position | None:
    """Where to go on after a page whose last row was updated at `last_updated_at`; `None` at the end.

    Restart at the last moment seen. Only while the moment stays the same is the page raised: should a row of a crowd
    larger than a page be edited just then, another slips over the edge, so a crowd is read until it stays the same.
    """
    if not more:
        return None
    restart = last_updated_at - TICK
    if restart > position.updated_from:
        return Position(restart)
    return Position(position.updated_from, position.page + 1)
