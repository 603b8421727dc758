"""The world's clock: real time plus an offset, or frozen."""

import time


class Clock:
    """Milliseconds that tests can move and stop; everything the world remembers is dated by it."""

    def __init__(self, frozen_at_ms: int | None = None) -> None:
        self._offset_ms = 0
        self._frozen_ms = frozen_at_ms

    @property
    def frozen(self) -> bool:
        """Whether time moves only when told."""
        return self._frozen_ms is not None

    def now_ms(self) -> int:
        """The world's present, in milliseconds since 1970 UTC."""
        if self._frozen_ms is not None:
            return self._frozen_ms
        return time.time_ns() // 1_000_000 + self._offset_ms

    def move_to(self, ms: int) -> None:
        """Make it this instant now."""
        if self._frozen_ms is not None:
            self._frozen_ms = ms
        else:
            self._offset_ms = ms - time.time_ns() // 1_000_000

    def freeze(self) -> None:
        """Stop the clock where it stands."""
        self._frozen_ms = self.now_ms()

    def thaw(self) -> None:
        """Let the clock run on from where it stands."""
        now = self.now_ms()
        self._frozen_ms = None
        self.move_to(now)
