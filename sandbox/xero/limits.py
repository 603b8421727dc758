"""Xero's rate limits: fixed windows per tenant and per app (developer.xero.com, "OAuth 2.0 API limits")."""

from dataclasses import dataclass, field

from sandbox.instants import DAY_MS, MINUTE_MS
from sandbox.settings import Settings


@dataclass(slots=True)
class Window:
    """A fixed window of `size_ms` that starts at its own offset, unlike its neighbours'."""

    size_ms: int
    offset_ms: int = 0
    used: int = 0
    _index: int = -1

    def turn(self, now_ms: int) -> None:
        """Begin the count again when the window has passed."""
        index = (now_ms + self.offset_ms) // self.size_ms
        if index != self._index:
            self._index = index
            self.used = 0

    def seconds_left(self, now_ms: int) -> int:
        """Whole seconds until the window passes, at least one."""
        left_ms = self.size_ms - (now_ms + self.offset_ms) % self.size_ms
        return max(1, -(-left_ms // 1000))


@dataclass(slots=True)
class TenantLimits:
    """What one tenant has used, and how many of its requests are in progress."""

    offset_ms: int
    day_limit: int
    in_progress: int = 0
    minute: Window = field(init=False)
    day: Window = field(init=False)

    def __post_init__(self) -> None:
        self.minute = Window(MINUTE_MS, self.offset_ms)
        self.day = Window(DAY_MS, self.offset_ms)


def problem(limits: TenantLimits, app: Window, settings: Settings, now_ms: int) -> tuple[str, int | None] | None:
    """Why the next request is refused, with Retry-After in seconds where Xero gives one; None counts it in."""
    app.turn(now_ms)
    limits.day.turn(now_ms)
    limits.minute.turn(now_ms)
    if settings.rate_limits:
        if app.used >= settings.app_minute_limit:
            return "appminute", None
        if limits.day.used >= limits.day_limit:
            return "day", limits.day.seconds_left(now_ms)
        if limits.minute.used >= settings.minute_limit:
            return "minute", limits.minute.seconds_left(now_ms)
        if limits.in_progress >= settings.concurrent_limit:
            return "concurrent", None
    app.used += 1
    limits.day.used += 1
    limits.minute.used += 1
    return None


def headers(limits: TenantLimits, app: Window, settings: Settings) -> dict[str, str]:
    """The three counters that every response carries."""
    return {
        "X-DayLimit-Remaining": str(max(0, limits.day_limit - limits.day.used)),
        "X-MinLimit-Remaining": str(max(0, settings.minute_limit - limits.minute.used)),
        "X-AppMinLimit-Remaining": str(max(0, settings.app_minute_limit - app.used)),
    }
