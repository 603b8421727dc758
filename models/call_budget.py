"""Call budgets: what one Xero organisation, and our app as a whole, have used of Xero's limits, for the whole fleet."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from peewee import IntegerField, TextField

from models.database import Table, UtcField, database, is_sqlite

APP = "app"  # the scope of what all our calls share


class CallBudget(Table):
    """One row a scope: a tenant's id, or `app`. `slots` are the last minute's calls as JSON [[slot, calls], ...].

    `day_left` is what Xero last said is left of the day, `day_most_left` the most it ever said. `failures`, in the row
    of the app, counts calls in a row without an answer, over all tenants; `probe_at` is when the next one may try.
    """

    scope = TextField(primary_key=True)
    slots = TextField(default="[]")
    day_left = IntegerField(null=True)
    day_most_left = IntegerField(null=True)
    failures = IntegerField(default=0)
    probe_at = UtcField(null=True)


def lock_budgets(scopes: Iterable[str]) -> dict[str, CallBudget]:
    """These rows, made if need be, locked until the transaction ends; always in one order, so nobody deadlocks.

    The transaction does not wait for the disk: a crash of the database may forget the last half second of counting.
    """
    wanted = sorted(scopes)
    if not is_sqlite():
        database.execute_sql("SET LOCAL synchronous_commit TO off")
    found = _locked(wanted)
    if len(found) < len(wanted):
        CallBudget.insert_many([{"scope": scope} for scope in wanted]).on_conflict_ignore().execute()
        found = _locked(wanted)
    return found


def _locked(scopes: list[str]) -> dict[str, CallBudget]:
    query = CallBudget.select().where(CallBudget.scope.in_(scopes)).order_by(CallBudget.scope)
    return {row.scope: row for row in (query if is_sqlite() else query.for_update())}


def read_slots(row: CallBudget) -> tuple[tuple[int, int], ...]:
    return tuple((int(slot), int(calls)) for slot, calls in json.loads(row.slots))


def store_budget(
    row: CallBudget, slots: tuple[tuple[int, int], ...], failures: int = 0, probe_at: datetime | None = None
) -> None:
    """Write a locked row."""
    CallBudget.update(
        slots=json.dumps(slots, separators=(",", ":")),
        day_left=row.day_left,
        day_most_left=row.day_most_left,
        failures=failures,
        probe_at=probe_at,
    ).where(CallBudget.scope == row.scope).execute()
