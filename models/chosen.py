"""Runs and transactions that a person chooses to have done once more, with what a decision about each needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from peewee import JOIN, fn

from models.organisation import Connection, Organisation
from models.posting import Posting
from models.states import ConnectionState, PostingState, RunKind, RunState
from models.sync_run import SyncRun

RECENT = timedelta(days=3)


@dataclass(frozen=True)
class ChosenRun:
    """`connection_state` is that of the connection over which it went."""

    id: int
    kind: str
    state: str
    local_date: date
    organisation_id: str
    organisation: str
    connection_state: str


@dataclass(frozen=True)
class ChosenTransaction:
    """A posting, by its number and by Qonto's id of the transaction.

    `connection_id` is its organisation's live connection to the Xero organisation that it is for; empty without one.
    """

    id: int
    transaction_id: str
    state: str
    reason: str
    organisation_id: str
    organisation: str
    connection_id: str


def nights_between(organisations: Sequence[str], since: date, until: date) -> list[ChosenRun]:
    """The nights of these organisations (none: of all with a live connection) from one local date to another."""
    return _runs(_nights_of(organisations) & SyncRun.local_date.between(since, until))


def newest_night_of_each(organisations: Sequence[str]) -> list[ChosenRun]:
    """The newest night of each of these organisations; with none, of all with a live connection and a recent one."""
    which = _nights_of(organisations) if organisations else _nights_of(()) & _is_recent()
    return _runs(which & (SyncRun.local_date == _newest_date()))


def runs_numbered(numbers: Sequence[int]) -> list[ChosenRun]:
    """The runs with these numbers."""
    return _runs(SyncRun.id.in_(list(numbers)))


def nights_that_failed(code: str) -> list[ChosenRun]:
    """Organisations' newest nights, if they are recent, where they failed for this reason."""
    gave_up = _is_recent() & (SyncRun.state == RunState.FAILED) & (SyncRun.code == code)
    return _runs(_nights_of(()) & gave_up & (SyncRun.local_date == _newest_date()))


def transactions_called(name: str) -> list[ChosenTransaction]:
    """A transaction by Qonto's id or Xero's; one for each Xero organisation that has it."""
    by_xero = (Posting.bank_transaction_id == name) & (Posting.bank_transaction_id != "")
    return _transactions((Posting.transaction_id == name) | by_xero)


def transactions_stuck(reason: str) -> list[ChosenTransaction]:
    """Those that are held or rejected for this reason."""
    return _transactions(Posting.state.in_((PostingState.HELD, PostingState.REJECTED)) & (Posting.reason == reason))


def _nights_of(organisations: Sequence[str]) -> Any:
    night = SyncRun.kind == RunKind.NIGHTLY
    if organisations:
        return night & SyncRun.organisation_id.in_(list(organisations))
    return night & (Connection.state == ConnectionState.LIVE)


def _is_recent() -> Any:
    """Of the last days in which there was a night at all: all of history would take long to look through."""
    newest = SyncRun.select(fn.MAX(SyncRun.local_date)).where(SyncRun.kind == RunKind.NIGHTLY).scalar()
    since = date.fromisoformat(str(newest)) - RECENT if newest else date.min
    return SyncRun.local_date >= since


def _newest_date() -> Any:
    """The local date of an organisation's newest night, for a query of its runs."""
    other = SyncRun.alias()
    of_same = (other.organisation_id == SyncRun.organisation_id) & (other.kind == RunKind.NIGHTLY)
    return other.select(fn.MAX(other.local_date)).where(of_same & (other.state != RunState.CAUGHT_UP))


def _runs(which: Any) -> list[ChosenRun]:
    columns = (SyncRun.id, SyncRun.kind, SyncRun.state, SyncRun.local_date, SyncRun.organisation_id)
    rows = (
        SyncRun.select(*columns, Organisation.slug, Connection.state)
        .join(Organisation, on=(Organisation.id == SyncRun.organisation_id))
        .switch(SyncRun)
        .join(Connection, on=(Connection.id == SyncRun.connection_id))
        .where(which)
        .order_by(SyncRun.local_date, SyncRun.id)
        .tuples()
    )
    return [ChosenRun(*row) for row in cast("Iterable[tuple[Any, ...]]", rows)]


def _transactions(which: Any) -> list[ChosenTransaction]:
    over = (
        (Connection.organisation_id == Posting.organisation_id)
        & (Connection.tenant_id == Posting.tenant_id)
        & (Connection.state == ConnectionState.LIVE)
    )
    columns = (Posting.id, Posting.transaction_id, Posting.state, Posting.reason, Posting.organisation_id)
    rows = (
        Posting.select(*columns, Organisation.slug, fn.COALESCE(Connection.id, ""))
        .join(Organisation, on=(Organisation.id == Posting.organisation_id))
        .switch(Posting)
        .join(Connection, JOIN.LEFT_OUTER, on=over)
        .where(which)
        .order_by(Posting.id)
        .tuples()
    )
    return [ChosenTransaction(*row) for row in cast("Iterable[tuple[Any, ...]]", rows)]
