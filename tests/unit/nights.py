"""A night of ten organisations, of which four are done, for those who draw it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain.night import window_of
from services.view_night import Tonight

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TODAY = date(2026, 11, 20)
DUE = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)  # 23:00 in Paris
STATES = ("due", "running", "waiting", "done", "failed")


def tonight(*zones: tuple[str, date], **changes: Any) -> Tonight:
    """Of ten organisations in Paris four are done, one in each of the first four minutes."""
    windows = [window_of(zone, local_date) for zone, local_date in zones or [("Europe/Paris", TODAY)]]
    endings = changes.get("endings", [(DUE + minute * MINUTE, 1) for minute in range(4)])
    done = sum(count for _, count in endings)
    states = changes.get("states", dict.fromkeys(STATES, 0) | {"done": done, "due": 10 - done})
    told: dict[str, Any] = {
        "local_dates": sorted({window.local_date for window in windows}),
        "due_at": min(window.due_at for window in windows),
        "deadline": max(window.deadline for window in windows),
        "states": states,
        "total": 10,
        "done": states["done"],
        "left": sum(states[state] for state in ("due", "running", "waiting")),
        "late": 0,
        "done_ratio": done / 10,
        "posted": 40,
        "projected_end": None,
        "windows": windows,
        "endings": endings,
    }
    return Tonight(**told | changes)
