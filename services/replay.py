"""A person has something done once more: chosen and decided, with a reason for each, before anything is done.

Safe at any time, also beside a running night: what is done again goes the way that everything goes, and what is in Xero
already is not sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from domain.calendar import NIGHT, falls_due, local_date
from domain.replay import Decision, Outcome, what_of_run, what_of_transaction
from models import audit
from models.chosen import ChosenRun, ChosenTransaction
from models.database import transaction
from models.organisation import Organisation, live_connection
from models.posting import make_again, send_again
from models.statements import load
from models.states import ConnectionState, Lane, RunKind
from models.sync_run import SyncRun, ask_for_run, open_again

A_DAY = timedelta(days=1)
RUN, TRANSACTION = "run", "transaction"  # what is done once more, and the first word of its audit entries


@dataclass(frozen=True)
class Item:
    """One thing that was chosen, and what a replay does with it. `number` is ours, `kind` says of what.

    `name` is what a person knows it by: a run's kind and date, a transaction's id in Qonto.
    """

    organisation: str
    organisation_id: str
    kind: str
    number: int
    name: str
    state: str
    outcome: Outcome
    why: str


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
        _item(one, TRANSACTION, one.transaction_id, what_of_transaction(one.state, one.reason, recreate=recreate))
        for one in chosen
    ]


def acting(items: Iterable[Item]) -> list[Item]:
    """Those with which a replay does something."""
    return [item for item in items if item.outcome in {Outcome.AGAIN, Outcome.RECREATE}]


def replay(items: Iterable[Item], person: Person, now: datetime) -> Iterator[int]:
    """Do what was decided, an organisation in a transaction, with an audit entry for each thing done.

    Gives how many were done, organisation by organisation. What is in another state by now is left as it is.
    """
    in_order = sorted(acting(items), key=lambda item: item.organisation_id)
    for organisation_id, of_one in groupby(in_order, key=lambda item: item.organisation_id):
        with transaction():
            done = [item for item in of_one if _is_done(item, person, now)]
            if any(item.kind == TRANSACTION for item in done):
                _ask_for_run(organisation_id, now)
        yield len(done)


def _is_done(item: Item, person: Person, now: datetime) -> bool:
    if item.kind == RUN:
        is_done = _open_again(item.number, now)
    elif item.outcome == Outcome.RECREATE:
        is_done = make_again(item.number, now, person.who)
    else:
        is_done = send_again(item.number, item.state, now, person.who)
    if is_done:
        verb = "recreate" if item.outcome == Outcome.RECREATE else "replay"
        subject = str(item.number) if item.kind == RUN else f"{item.organisation_id}/{item.name}"
        audit.record(person.who, f"{item.kind}.{verb}", subject, now, person.why)
    return is_done


def _open_again(number: int, now: datetime) -> bool:
    """Qonto is read from the 23:00 before the run's date on."""
    run = load(SyncRun, number)
    zone = load(Organisation, run.organisation_id).time_zone
    return open_again(run.id, falls_due(run.local_date - A_DAY, NIGHT, zone), now)


def _ask_for_run(organisation_id: str, now: datetime) -> None:
    connection = live_connection(organisation_id)
    if connection:
        today = local_date(now, load(Organisation, organisation_id).time_zone)
        ask_for_run(connection, RunKind.MANUAL, Lane.NIGHTLY, today, now)


def _is_live(run: ChosenRun) -> bool:
    return run.connection_state == ConnectionState.LIVE


def _item(of: ChosenRun | ChosenTransaction, kind: str, name: str, decision: Decision) -> Item:
    return Item(of.organisation, of.organisation_id, kind, of.id, name, of.state, decision.outcome, decision.why)
