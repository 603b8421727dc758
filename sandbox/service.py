"""What every service of the world can do."""

from typing import Protocol

from sandbox.faults import Fault
from sandbox.wire import Answer, Call


class Service(Protocol):
    """A Qonto, a Xero, an identity server."""

    def recognise(self, call: Call) -> None:
        """Name whose data a call is about, for faults and the log; nothing is checked."""
        ...

    async def answer(self, call: Call) -> Answer:
        """Answer one request."""
        ...

    def spoiled(self, fault: Fault) -> Answer:
        """A `status` fault in this service's own error shape."""
        ...
