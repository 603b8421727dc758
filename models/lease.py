"""Leases: one worker at a time for an organisation, and a fence that only grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import BigIntegerField, TextField

from models.database import Table, UtcField, transaction
from models.statements import run

LEASE = timedelta(seconds=90)  # longer than the longest HTTP call (45 s), so no call outlives its lease


RENEW = """
    UPDATE lease SET expires_at = {expires_at}
    WHERE organisation_id = {id} AND fence = {fence} AND owner = {owner}
"""


class LeaseRow(Table):
    """Who works for an organisation now. Kept after release, because the fence must never start again."""

    organisation_id = TextField(primary_key=True)
    owner = TextField(default="")
    fence = BigIntegerField()
    expires_at = UtcField()

    class Meta:
        table_name = "lease"


class LeaseLost(Exception):
    """Another worker has taken over; whoever sees this stops at once and writes nothing more."""


@dataclass(frozen=True)
class Lease:
    """Held by `owner` under `fence`. Every write for the organisation goes through `holding()`."""

    organisation_id: str
    owner: str
    fence: int
    clock: Callable[[], datetime]

    @contextmanager
    def holding(self) -> Iterator[None]:
        """A transaction that begins by renewing the lease under its own fence.

        The renewal locks the lease row, so a take-over waits until this transaction has ended, and everything in it is
        fenced. Raises LeaseLost, with nothing written, when the fence has moved on.
        """
        with transaction():
            renewed = run(
                RENEW,
                expires_at=self.clock() + LEASE,
                id=self.organisation_id,
                fence=self.fence,
                owner=self.owner,
            )
            if renewed != 1:
                raise LeaseLost(f"organisation {self.organisation_id}: fence {self.fence} was overtaken")
            yield

    def release(self) -> None:
        """Let the next worker in without waiting; harmless when already lost."""
        LeaseRow.update(owner="", expires_at=self.clock()).where(self._mine()).execute()

    def _mine(self) -> object:
        return (
            (LeaseRow.organisation_id == self.organisation_id)
            & (LeaseRow.fence == self.fence)
            & (LeaseRow.owner == self.owner)
        )


def take_lease(organisation_id: str, owner: str, clock: Callable[[], datetime]) -> Lease | None:
    """The organisation's lease, under a fence one higher than any before; `None` while somebody holds it."""
    now = clock()
    with transaction():
        LeaseRow.insert(organisation_id=organisation_id, fence=0, expires_at=now).on_conflict(
            conflict_target=[LeaseRow.organisation_id], action="IGNORE"
        ).execute()
        taken = (
            LeaseRow.update(owner=owner, fence=LeaseRow.fence + 1, expires_at=now + LEASE)
            .where(LeaseRow.organisation_id == organisation_id)
            .where((LeaseRow.owner == "") | (LeaseRow.expires_at <= now))
            .execute()
        )
        if taken != 1:
            return None
        row = LeaseRow.get_by_id(organisation_id)
        return Lease(organisation_id, owner, row.fence, clock)
