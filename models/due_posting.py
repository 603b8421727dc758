"""What is due: the postings that a turn sends, and in which company each of them travels."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

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
TOGETHER = f"SELECT {COLUMNS} {OF_CONNECTION} AND NOT alone ORDER BY settled_at, id LIMIT {{most}}"
ALONE = f"SELECT {COLUMNS} {OF_CONNECTION} AND alone ORDER BY settled_at, id LIMIT {{most}}"


def due_together(connection_id: str, limit: int) -> list[DuePosting]:
    """Return the next postings that are sent in company, oldest first."""
    return [DuePosting(*row) for row in read(TOGETHER, connection_id=connection_id, most=limit)]


def due_alone(connection_id: str, limit: int) -> list[DuePosting]:
    """Return the next postings of which each is sent by itself, with nothing else under way, oldest first."""
    return [DuePosting(*row) for row in read(ALONE, connection_id=connection_id, most=limit)]


def is_any_due(connection_id: str) -> bool:
    """Return whether a connection has anything to send."""
    return bool(read(f"SELECT 1 {OF_CONNECTION} LIMIT 1", connection_id=connection_id))


AT_STAKE = """
    SELECT DISTINCT state, reason, bank_account_id FROM posting
    WHERE connection_id = {connection_id} AND state IN ('due', 'held')
"""


def at_stake(connection_id: str) -> set[tuple[str, str, str]]:
    """What is due or held over a connection: each (state, reason, bank account id) that there is."""
    return set(read(AT_STAKE, connection_id=connection_id))
