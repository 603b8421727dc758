"""Qonto's rate limits per address (docs.qonto.com, "Rate limitations")."""

from collections import deque

_WINDOWS_MS = ((10_000, 1_000), (600_000, 10_000))


class Quota:
    """Counts requests per address in sliding windows of ten seconds and ten minutes."""

    def __init__(self) -> None:
        self._times: dict[str, deque[int]] = {}

    def retry_after_s(self, address: str, now_ms: int) -> int | None:
        """Seconds to wait when the address asked too much; None counts the request in."""
        times = self._times.setdefault(address, deque(maxlen=_WINDOWS_MS[-1][1]))
        for size_ms, limit in _WINDOWS_MS:
            if len(times) >= limit and now_ms - times[-limit] < size_ms:
                return max(1, (size_ms - (now_ms - times[-limit])) // 1000)
        times.append(now_ms)
        return None
