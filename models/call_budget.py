"""Call budgets: what one Xero organisation, and all our calls together, have used of Xero's and Qonto's limits."""

from __future__ import annotations

import json
from typing import Any

from peewee import IntegerField, TextField

from models.database import Table, UtcField, is_sqlite, read_moment
from models.statements import read, run

COLUMNS = ("slots", "day_left", "day_most_left", "day_heard_at", "failures", "probe_at")
READ = f"SELECT {', '.join(COLUMNS)} FROM call_budget WHERE scope = {{scope}}"  # noqa: S608 - names of ours
LOCK = f"{READ} FOR UPDATE"


class CallBudget(Table):
    """One row a scope: a tenant's id, or a limit on all our calls. `slots` are the newest calls, [[slot, calls], ...].

    `day_left` is what Xero last said is left of the day, at `day_heard_at`, and `day_most_left` the most it ever said.
    `failures`, in the row of the app, counts calls in a row without an answer, over all tenants; `probe_at` is when
    the next one may try.
    """

    scope = TextField(primary_key=True)
    slots = TextField(default="[]")
    day_left = IntegerField(null=True)
    day_most_left = IntegerField(null=True)
    day_heard_at = UtcField(null=True)
    failures = IntegerField(default=0)
    probe_at = UtcField(null=True)


def budget_of(scope: str) -> CallBudget:
    """Return what is counted under a scope, as it stands; empty before the first call."""
    found: CallBudget | None = CallBudget.get_or_none(CallBudget.scope == scope)
    return found or CallBudget(scope=scope)


def lock_budget(scope: str) -> CallBudget:
    """This row, made if need be, locked until the transaction ends."""
    statement = READ if is_sqlite() else LOCK
    found = read(statement, scope=scope)
    if not found:
        CallBudget.insert(scope=scope).on_conflict_ignore().execute()
        found = read(statement, scope=scope)
    columns = dict(zip(COLUMNS, found[0], strict=True))
    moments = {name: read_moment(columns[name]) for name in ("day_heard_at", "probe_at")}
    return CallBudget(scope=scope, **columns | moments)


def read_slots(row: CallBudget) -> tuple[tuple[int, int], ...]:
    return tuple((int(slot), int(calls)) for slot, calls in json.loads(row.slots))


def store_slots(scope: str, slots: tuple[tuple[int, int], ...], **columns: Any) -> None:
    """Write a locked row: its calls, and what else has changed."""
    columns["slots"] = json.dumps(slots, separators=(",", ":"))
    changes = ", ".join(f"{name} = {{{name}}}" for name in columns)
    run(f"UPDATE call_budget SET {changes} WHERE scope = {{scope}}", scope=scope, **columns)  # noqa: S608 - our names
