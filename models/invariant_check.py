"""What the newest check of each invariant found, so that it outlives the process that looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from peewee import CompositeKey, IntegerField, TextField, fn

from models.database import Table, UtcField, read_moment
from models.statements import read

MOST_EXAMPLES = 20
FLEET = "fleet"  # the scope of what our own tables say of everybody


class InvariantCheck(Table):
    """`scope` is the fleet, or the id of an organisation compared with Xero. `examples` name ids, a line each."""

    name = TextField()
    scope = TextField()
    checked_at = UtcField()
    violations = IntegerField()
    examples = TextField()

    class Meta:
        primary_key = CompositeKey("name", "scope")


@dataclass(frozen=True)
class Violated:
    """An invariant, how often it is violated, and when that was last looked at."""

    name: str
    violations: int
    checked_at: datetime


def store_check(name: str, scope: str, violations: Sequence[str], now: datetime) -> None:
    """Replace what was known of this invariant there: how often it is violated, and the first of the ids."""
    InvariantCheck.insert(
        name=name,
        scope=scope,
        checked_at=now,
        violations=len(violations),
        examples="\n".join(violations[:MOST_EXAMPLES]),
    ).on_conflict(
        conflict_target=[InvariantCheck.name, InvariantCheck.scope],
        preserve=[InvariantCheck.checked_at, InvariantCheck.violations, InvariantCheck.examples],
    ).execute()


def checks_by_name() -> list[Violated]:
    """Each invariant over all scopes: the sum of its violations, and when it was last looked at."""
    rows = read("SELECT name, SUM(violations), MAX(checked_at) FROM invariant_check GROUP BY name ORDER BY name")
    return [Violated(name, int(count), read_moment(at)) for name, count, at in rows]


def last_check_of(scope: str) -> datetime | None:
    """When it was last looked at; `None` if never."""
    moment: datetime | None = read_moment(
        InvariantCheck.select(fn.MIN(InvariantCheck.checked_at)).where(InvariantCheck.scope == scope).scalar()
    )
    return moment


def violated_scopes() -> set[str]:
    """Where something was violated when it was last looked at."""
    found = InvariantCheck.select(InvariantCheck.scope).where(InvariantCheck.violations > 0)
    return {str(row.scope) for row in found}


def keep_only(scope: str, names: Sequence[str]) -> None:
    """Forget what nobody looks at any more."""
    InvariantCheck.delete().where((InvariantCheck.scope == scope) & InvariantCheck.name.not_in(list(names))).execute()


def forget_checks(scopes: Sequence[str]) -> None:
    """Nobody can look there any more."""
    InvariantCheck.delete().where(InvariantCheck.scope.in_(list(scopes))).execute()
