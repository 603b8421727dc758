"""Qonto's core: it tells of accounts by itself or as told, signs, and remembers what it said."""

from typing import Any

from sandbox.core.broker import Broker
from sandbox.core.emissions import Emission, Emissions
from sandbox.core.event import Event, event_body, signed_headers
from sandbox.core.outbox import Outbox
from sandbox.core.publisher import start_publisher
from sandbox.ids import Ids
from sandbox.qonto.account import BankAccount


class Core:
    """Emits events; one is signed when both `key_id` and `key` are there."""

    def __init__(self, ids: Ids) -> None:
        self.emits = True
        self.key_id: str | None = None
        self.key: bytes | None = None
        self.emissions = Emissions()
        self._ids = ids
        self._outbox = Outbox()
        self._publishes = False

    @property
    def address(self) -> str | None:
        """`host:port` of the broker."""
        return self._outbox.broker.address if self._outbox.broker else None

    @property
    def pending(self) -> int:
        """How many emissions the broker has not confirmed yet."""
        return self._outbox.pending

    def lead_to(self, broker: Broker | None) -> None:
        """Publish there what is emitted and what still waits; to nowhere: what waits is dropped."""
        self._outbox.lead_to(broker)
        if broker is not None and not self._publishes:
            start_publisher(self._outbox)
            self._publishes = True

    def announce(self, account: BankAccount, event_type: str, now_ms: int) -> None:
        """What happened to an account is told, unless the core was told to be silent."""
        if self.emits:
            self.emit(self.event(account, event_type, now_ms))

    def event(
        self,
        account: BankAccount,
        event_type: str,
        time_ms: int,
        *,
        event_id: str | None = None,
        changes: dict[str, Any] | None = None,
        signed: bool = True,
    ) -> Event:
        """An event about an account as it is now, with `changes` over its data."""
        event_id = event_id if event_id is not None else self._ids.guid()
        body = event_body(account, event_type, event_id, time_ms, changes or {})
        headers = signed_headers(body, self.key_id, self.key) if signed and self.key_id and self.key else {}
        return Event(event_type, event_id, account.id, account.organisation_id, body, headers)

    def emit(self, event: Event) -> Emission:
        """Write it down and publish it; the same event twice is a duplicate delivery."""
        emission = self.emissions.add(event)
        self._outbox.add(emission)
        return emission

    def forget(self) -> None:
        """Forget what was emitted and what waits; the configuration stays."""
        self.emissions.clear()
        self._outbox.forget()
