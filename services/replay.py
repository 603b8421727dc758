"""A person has something done once more: chosen and decided, with a reason for each, before anything is done.

Safe at any time, also beside a running night: what is done again goes the way that everything goes, and what is in Xero
already is not sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from domain.calendar import NIGHT, falls_due, local_date
from domain.replay import SYNCS, Decision, Outcome, what_of_run, what_of_transaction
from models import audit
from models.chosen import ChosenRun, ChosenTransaction
from models.database import transaction
from models.once_more import lock_posting, make_again, send_again
from models.organisation import Organisation, live_connection
from models.statements import load
from models.states import ConnectionState, Lane, RunKind
from models.sync_run import SyncRun, ask_for_run, open_again

A_DAY = timedelta(days=1)
AT_ONCE = 500  # things of one organisation in a transaction
RUN, TRANSACTION = "run", "transaction"  # what is done once more, and the first word of its audit entries


@dataclass(frozen=True)
class Item:
    """One thing that was chosen, and what a replay does with it. `number` is ours, `kind` says of what.

    `name` is what a person knows it by: a run's kind and date, a transaction's id in Qonto. `state` and `reason` are as
    they were then; `connection_id` is where a transaction goes.
    """

    organisation: str
    organisation_id: str
    kind: str
    number: int
    name: str
    state: str
    outcome: Outcome
    why: str
    reason: str = ""
    connection_id: str = ""


@dataclass(frozen=True)
class Person:
    """Who wants it, and why."""

    who: str
    why: str


def runs_once_more(chosen: Iterable[ChosenRun]) -> list[Item]:
    """What a replay would do with these runs."""
    return [
        _item(run, RUN, f"{run.kind} {run.local_date}", what_of_run(run.kind, run.state, is_live=_is_live(run)))
        for run in chosen
    ]


def transactions_once_more(chosen: Iterable[ChosenTransaction], *, recreate: bool = False) -> list[Item]:
    """What a replay would do with these transactions."""
    return [
        replace(
            _item(
                *(one, TRANSACTION, one.transaction_id),
                what_of_transaction(one.state, one.reason, is_live=bool(one.connection_id), recreate=recreate),
            ),
            reason=one.reason,
            connection_id=one.connection_id,
        )
        for one in chosen
    ]


def acting(items: Iterable[Item]) -> list[Item]:
    """Those with which a replay does something."""
    return [item for item in items if item.outcome in {Outcome.AGAIN, Outcome.RECREATE}]


def replay(items: Iterable[Item], person: Person, now: datetime) -> Iterator[int]:
    """Do what was decided, with an audit entry for each thing done; some of an organisation's in each transaction.

    Gives how many were done, part by part. What is in another state by now, or for another reason, is left as it is.
    """
    in_order = sorted(acting(items), key=lambda item: item.organisation_id)
    for organisation_id, of_one in groupby(in_order, key=lambda item: item.organisation_id):
        mine = list(of_one)
        for start in range(0, len(mine), AT_ONCE):
            yield _replay(organisation_id, mine[start : start + AT_ONCE], person, now)


def _replay(organisation_id: str, items: Sequence[Item], person: Person, now: datetime) -> int:
    """How many were done. Runs are locked before postings, as a worker locks them."""
    with transaction():
        if any(item.kind == TRANSACTION for item in items):
            _ask_for_run(organisation_id, now)
        return sum(_is_done(item, person, now) for item in items)


def _is_done(item: Item, person: Person, now: datetime) -> bool:
    is_done = _run_is_open_again(item.number, now) if item.kind == RUN else _transaction_is_due(item, person.who, now)
    if is_done:
        verb = "recreate" if item.outcome == Outcome.RECREATE else "replay"
        subject = str(item.number) if item.kind == RUN else f"{item.organisation_id}/{item.name}"
        audit.record(person.who, f"{item.kind}.{verb}", subject, now, person.why)
    return is_done


def _transaction_is_due(item: Item, who: str, now: datetime) -> bool:
    if lock_posting(item.number) != (item.state, item.reason):
        return False
    again = make_again if item.outcome == Outcome.RECREATE else send_again
    again(item.number, item.connection_id, now, who)
    return True


def _run_is_open_again(number: int, now: datetime) -> bool:
    """One that sends reads Qonto from the 23:00 before its date on."""
    run = load(SyncRun, number)
    zone = load(Organisation, run.organisation_id).time_zone
    before = falls_due(run.local_date - A_DAY, NIGHT, zone)
    return open_again(run.id, before if run.kind in SYNCS else None, now)


def _ask_for_run(organisation_id: str, now: datetime) -> None:
    connection = live_connection(organisation_id)
    if connection:
        today = local_date(now, load(Organisation, organisation_id).time_zone)
        ask_for_run(connection, RunKind.MANUAL, Lane.NIGHTLY, today, now)


def _is_live(run: ChosenRun) -> bool:
    return run.connection_state == ConnectionState.LIVE


def _item(of: ChosenRun | ChosenTransaction, kind: str, name: str, decision: Decision) -> Item:
    return Item(of.organisation, of.organisation_id, kind, of.id, name, of.state, decision.outcome, decision.why)
