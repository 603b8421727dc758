"""What is due: the postings that a turn sends, and in which company each of them travels."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from models.statements import read


@dataclass(slots=True)
class DuePosting:
    """What is sent of a posting, and what its next batch needs to know. Columns as in `Posting`, without its weight."""

    id: int
    bank_account_id: str
    side: str
    amount_cents: int
    currency: str
    local_amount_cents: int
    local_currency: str
    operation_type: str
    label: str
    counterparty: str
    reference: str
    card_last_digits: str
    url: str
    date: date | str  # SQLite tells it as text
    attempts: int
    refusals: int
    alone: bool


COLUMNS = ", ".join(column.name for column in fields(DuePosting))
OF_CONNECTION = "FROM posting WHERE connection_id = {connection_id} AND state = 'due'"
OLDEST = "ORDER BY settled_at, id LIMIT {most}"


def due_together(connection_id: str, limit: int, left_out: Collection[str] = ()) -> list[DuePosting]:
    """Return the next postings that are sent in company, oldest first, without those of some bank accounts."""
    rows = _read_due(COLUMNS, f"AND NOT alone {OLDEST}", left_out, connection_id=connection_id, most=limit)
    return [DuePosting(*row) for row in rows]


def due_alone(connection_id: str, limit: int, left_out: Collection[str] = ()) -> list[DuePosting]:
    """Return the next postings of which each is sent by itself, with nothing else under way, in the same way."""
    rows = _read_due(COLUMNS, f"AND alone {OLDEST}", left_out, connection_id=connection_id, most=limit)
    return [DuePosting(*row) for row in rows]


def is_any_due(connection_id: str, left_out: Collection[str] = ()) -> bool:
    """Return whether a connection has anything to send, besides what is due of some bank accounts."""
    return bool(_read_due("1", "LIMIT 1", left_out, connection_id=connection_id))


def _read_due(columns: str, which: str, left_out: Collection[str], **values: Any) -> list[tuple[Any, ...]]:
    besides = {f"besides_{number}": account_id for number, account_id in enumerate(sorted(left_out))}
    others = f"AND bank_account_id NOT IN ({', '.join(f'{{{name}}}' for name in besides)})" if besides else ""
    return read(f"SELECT {columns} {OF_CONNECTION} {others} {which}", **values, **besides)


AT_STAKE = """
    SELECT DISTINCT state, reason, bank_account_id FROM posting
    WHERE connection_id = {connection_id} AND state IN ('due', 'held')
"""


def at_stake(connection_id: str) -> set[tuple[str, str, str]]:
    """What is due or held over a connection: each (state, reason, bank account id) that there is."""
    return set(read(AT_STAKE, connection_id=connection_id))
