"""One turn of work on a run: whose, under which lease, with which clients, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from clients.clock import Clock
from clients.errors import RateLimited, RemoteError
from clients.http import Answer
from clients.qonto.client import Qonto
from clients.xero.client import Xero
from domain.access import Side
from domain.recovery import Instant
from models.bank_account import AccountLink, live_links
from models.lease import Lease
from models.organisation import Connection, Organisation
from models.quarantine import Seal
from models.sync_run import SyncRun, run_ahead_of
from services.app_share import BUDGET
from services.in_flight import InFlight

TURN_SECONDS = 300  # then the job goes on at the tail of the queue, so that a big organisation delays no small one
TURN_TRANSACTIONS = 500
A_MINUTE = timedelta(seconds=61)  # in which Xero counts calls, and a moment
LONGEST_REST_SECONDS = 5.0  # so that an order to stop is seen
LOOK_ROUND = timedelta(seconds=1)  # how often a turn looks whether somebody waits for it to end


@dataclass
class Job:
    """`seal` encrypts what goes to quarantine. `stopping` says that the process wants to end. `problems` went wrong for
    one account and are tried again this night; `notes` are for a person and change nothing. `refused_by` did not let us
    in during this turn. `gives_way`: another run waits, and goes first.
    """

    run: SyncRun
    connection: Connection
    organisation: Organisation
    lease: Lease
    qonto: Qonto
    xero: Xero
    clock: Clock
    app_url: str
    seal: Seal
    stopping: Callable[[], bool]
    machine_clock: Clock
    in_flight: InFlight[Any, Any]
    rest: Callable[[float], None] = time.sleep
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused_by: Side | None = None
    doubts: dict[int, RemoteError] = field(default_factory=dict)  # why a batch could not be looked up, by its number
    complete: set[str] | None = None  # accounts of which this turn missed nothing; `None` until what can be was read
    left_out: set[str] = field(default_factory=set)  # accounts of which this turn sends nothing
    sent: int = 0  # rows frozen in this turn
    gives_way: bool = False
    _links: dict[str, AccountLink] | None = None
    _started: float = field(default_factory=time.monotonic)
    _looked_round_at: datetime | None = None

    @property
    def tenant_id(self) -> str:
        return self.connection.tenant_id

    @property
    def links(self) -> dict[str, AccountLink]:
        """The accounts of ours in Xero, by bank account id, as this turn's provisioning left them."""
        if self._links is None:
            self._links = live_links(self.tenant_id, self.organisation.id)
        return self._links

    def admitted_by(self) -> list[Side]:
        """Return who let us in during this turn, and refused nothing."""
        tokens = {Side.QONTO: self.qonto.tokens, Side.XERO: self.xero.tokens}
        return [side for side, theirs in tokens.items() if theirs.is_accepted and side != self.refused_by]

    def holding(self) -> AbstractContextManager[None]:
        """A transaction under the job's lease and fence."""
        return self.lease.holding()

    def now(self) -> datetime:
        return self.clock()

    def instant(self) -> Instant:
        """Now, by both clocks."""
        return Instant(self.clock(), self.machine_clock())

    def patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Ask for one page more of a list, under the lease; if our own share of the minute is used up, wait for it.

        Whoever began a long list anew each minute would never come to its end. Raises what `ask` raises but that, and
        that too when the process wants to end, or the clock stands still.
        """
        while True:
            with self.holding():
                pass  # however many pages there are, the lease is ours
            try:
                return ask()
            except RateLimited as limited:
                is_soon = limited.call == BUDGET and limited.until - self.now() <= A_MINUTE
                if not is_soon or not self._comes(limited.until):
                    raise

    def _comes(self, moment: datetime) -> bool:
        """Rest until a moment, and say whether it came."""
        while (now := self.now()) < moment and not self.stopping():
            self.rest(min((moment - now).total_seconds(), LONGEST_REST_SECONDS))
            if self.now() <= now:
                return False
        return not self.stopping()

    def time_is_up(self) -> bool:
        """Whether to stop between two steps and let others work."""
        if self.stopping() or self.sent >= TURN_TRANSACTIONS or time.monotonic() - self._started > TURN_SECONDS:
            return True
        self._look_round()
        return self.gives_way

    def _look_round(self) -> None:
        """Once a second: does a run that goes before this one wait for the organisation's lease?"""
        now = self.now()
        if self._looked_round_at and now < self._looked_round_at + LOOK_ROUND:
            return
        self._looked_round_at = now
        self.gives_way = self.gives_way or run_ahead_of(self.run, now) is not None


def note_prepared(job: Job) -> None:
    """Accounts and transactions have been read; later turns need not."""
    job.run.prepared_at = job.now()
    with job.holding():
        SyncRun.update(prepared_at=job.run.prepared_at).where(SyncRun.id == job.run.id).execute()
