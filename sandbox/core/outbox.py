"""What is still to be published, shared by the server, which never waits here, and the publisher's thread."""

from collections import deque
from threading import Condition

from sandbox.core.broker import Broker
from sandbox.core.emissions import Emission


class Outbox:
    """Emissions in their order until they are published, and the broker they go to; without one nothing is kept."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._broker: Broker | None = None
        self._pending: deque[Emission] = deque()

    @property
    def broker(self) -> Broker | None:
        """Where emissions go."""
        return self._broker

    @property
    def pending(self) -> int:
        """How many wait, the one on its way included."""
        return len(self._pending)

    def lead_to(self, broker: Broker | None) -> None:
        """What waits goes to this broker from now on; to none: it is dropped."""
        with self._changed:
            self._broker = broker
            if broker is None:
                self._pending.clear()
            self._changed.notify_all()

    def add(self, emission: Emission) -> None:
        """The next to be published."""
        with self._changed:
            if self._broker is not None:
                self._pending.append(emission)
                self._changed.notify_all()

    def forget(self) -> None:
        """Drop what waits."""
        with self._changed:
            self._pending.clear()

    def wait_for_work(self) -> Broker:
        """Return the broker when there is something to publish."""
        with self._changed:
            while self._broker is None or not self._pending:
                self._changed.wait()
            return self._broker

    def first(self, broker: Broker, seconds: float) -> Emission | None:
        """The oldest emission for this broker, waited for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._broker is not broker, seconds)
            return self._pending[0] if self._pending and self._broker is broker else None

    def done(self, emission: Emission) -> None:
        """It is published; it may have been dropped meanwhile."""
        with self._changed:
            emission.published = True
            if self._pending and self._pending[0] is emission:
                self._pending.popleft()

    def wait_for_another(self, broker: Broker, seconds: float) -> None:
        """Return after so long, or at once when what waits is led to another broker than this."""
        with self._changed:
            self._changed.wait_for(lambda: self._broker is not broker, seconds)
