"""Leases: one worker at a time for an organisation, and a fence that only grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import BigIntegerField, TextField

from metrics import FENCE_REJECTED, LEASE_TAKEOVERS
from models.database import Table, UtcField, read_moment, transaction
from models.statements import read, run

LEASE = timedelta(seconds=90)  # longer than the longest HTTP call (45 s), so no call outlives its lease
HEIR = " after another"  # how an owner is called who took over from one that did not give the lease back

FIRST = """
    INSERT INTO lease (organisation_id, owner, fence, expires_at) VALUES ({id}, '', 0, {now})
    ON CONFLICT (organisation_id) DO NOTHING
"""
TAKE = """
    UPDATE lease SET
        owner = CASE owner WHEN '' THEN {owner} ELSE {heir} END, fence = fence + 1, expires_at = {expires_at}
    WHERE organisation_id = {id} AND (owner = '' OR expires_at <= {now}) RETURNING fence, owner
"""
HELD = "SELECT expires_at FROM lease WHERE organisation_id = {id} AND owner <> '' AND expires_at > {now}"
MINE = "WHERE organisation_id = {id} AND fence = {fence} AND owner = {owner}"
RENEW = f"UPDATE lease SET expires_at = {{expires_at}} {MINE}"  # noqa: S608 - no value is in it
RELEASE = f"UPDATE lease SET owner = '', expires_at = {{now}} {MINE}"  # noqa: S608 - no value is in it


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
                FENCE_REJECTED.inc()
                raise LeaseLost(f"organisation {self.organisation_id}: fence {self.fence} was overtaken")
            yield

    def release(self) -> None:
        """Let the next worker in without waiting; harmless when already lost."""
        run(RELEASE, now=self.clock(), id=self.organisation_id, fence=self.fence, owner=self.owner)


def held_until(organisation_id: str, now: datetime) -> datetime | None:
    """Return until when somebody holds the organisation's lease at the longest; `None` while nobody does."""
    found = read(HELD, id=organisation_id, now=now)
    moment: datetime | None = read_moment(found[0][0]) if found else None
    return moment


def take_lease(organisation_id: str, owner: str, clock: Callable[[], datetime]) -> Lease | None:
    """The organisation's lease, under a fence one higher than any before; `None` while somebody holds it."""
    now = clock()
    heir = owner + HEIR
    with transaction():
        run(FIRST, id=organisation_id, now=now)
        taken = read(TAKE, id=organisation_id, owner=owner, heir=heir, now=now, expires_at=now + LEASE)
    if not taken:
        return None
    fence, owner = taken[0]
    if owner == heir:
        LEASE_TAKEOVERS.inc()
    return Lease(organisation_id, owner, fence, clock)
