"""Refusals of access: since when, and how often, Qonto or Xero has not let us in for a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from peewee import SQL, CompositeKey, IntegerField, TextField

from models.database import Table, UtcField
from models.statements import find, read, run
from models.states import ConnectionState


class AccessRefusal(Table):
    """One side, `qonto` or `xero`, that refuses a connection; deleted as soon as that side lets us in.

    `refusals` counts the answers since `refused_since`, `refused_at` is when the newest came, `problem` what it was.
    `ends_since`: since when the refusals suffice to end the connection; empty while they do not. `held_until`: the
    fleet brake holds the end back, and the connection is tried again before then.
    """

    connection_id = TextField(constraints=[SQL("REFERENCES connection (id)")])
    side = TextField()
    refused_since = UtcField()
    refused_at = UtcField()
    refusals = IntegerField()
    problem = TextField()
    ends_since = UtcField(null=True, index=True)
    held_until = UtcField(null=True, index=True)

    class Meta:
        primary_key = CompositeKey("connection_id", "side")


COUNT = """
    INSERT INTO access_refusal (connection_id, side, refused_since, refused_at, refusals, problem)
    VALUES ({connection_id}, {side}, {now}, {now}, 1, {problem})
    ON CONFLICT (connection_id, side) DO UPDATE SET refused_at = excluded.refused_at, problem = excluded.problem,
        refusals = access_refusal.refusals + 1
"""
OF_SIDE = "connection_id = {connection_id} AND side = {side}"
ENDING = """
    SELECT COUNT(*) FROM (
        SELECT DISTINCT connection_id FROM access_refusal WHERE ends_since >= {since} OR held_until > {now} LIMIT {most}
    ) AS ending
"""
LIVE = f"SELECT COUNT(*) FROM connection WHERE state = '{ConnectionState.LIVE}'"  # noqa: S608 - a name of ours


REFUSED = f"""
    SELECT COUNT(DISTINCT connection_id), COUNT(DISTINCT CASE WHEN held_until > {{now}} THEN connection_id END)
    FROM access_refusal JOIN connection ON connection.id = connection_id WHERE state = '{ConnectionState.LIVE}'
"""  # noqa: S608 - a name of ours


@dataclass(frozen=True)
class Refused:
    """The numbers of live connections that are refused for now, and of those whose end the fleet brake holds back."""

    connections: int = 0
    held_back: int = 0


def count_refusal(connection_id: str, side: str, problem: str, now: datetime) -> AccessRefusal:
    """Store one more refusal by a side; the row as it is now. Call it under the organisation's lease."""
    run(COUNT, connection_id=connection_id, side=side, problem=problem, now=now)
    return find(AccessRefusal, OF_SIDE, connection_id=connection_id, side=side)[0]


def store_ending(refusal: AccessRefusal, ends_since: datetime | None, held_until: datetime | None) -> None:
    """Store whether the refusals suffice to end the connection, and until when the brake holds that back."""
    run(
        f"UPDATE access_refusal SET ends_since = {{ends_since}}, held_until = {{held_until}} WHERE {OF_SIDE}",  # noqa: S608 - names of ours
        connection_id=refusal.connection_id,
        side=refusal.side,
        ends_since=ends_since,
        held_until=held_until,
    )


def forget_refusals(connection_id: str, sides: Sequence[str]) -> None:
    """Delete the refusals by these sides: they let us in, or the connection is another one now."""
    for side in sides:
        run(f"DELETE FROM access_refusal WHERE {OF_SIDE}", connection_id=connection_id, side=side)  # noqa: S608 - names of ours


def refusals_of(connection_id: str) -> list[AccessRefusal]:
    """The sides that refuse a connection at the moment."""
    return find(AccessRefusal, "connection_id = {connection_id} ORDER BY side", connection_id=connection_id)


def count_ending(since: datetime, now: datetime, most: int) -> int:
    """The number of connections that would have ended since a moment or are held back, counted up to `most`."""
    ((count,),) = read(ENDING, since=since, now=now, most=most)
    return int(count)


def count_refused(now: datetime) -> Refused:
    """Return how many live connections are refused, and how many of them are held back."""
    ((connections, held_back),) = read(REFUSED, now=now)
    return Refused(int(connections), int(held_back))


def held_back(now: datetime) -> list[AccessRefusal]:
    """The refusals that would end a connection and are held back."""
    return find(AccessRefusal, "held_until > {now} ORDER BY connection_id, side", now=now)


def count_live() -> int:
    """The number of live connections."""
    ((count,),) = read(LIVE)
    return int(count)
