"""What is due: the postings that a turn sends, and in which company each of them travels."""

from __future__ import annotations

from collections.abc import Sequence
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


DUE = f"""
    SELECT {", ".join(column.name for column in fields(DuePosting))} FROM posting
    WHERE connection_id = {{connection_id}} AND state = 'due' ORDER BY settled_at, id LIMIT {{most}}
"""  # noqa: S608 - column names of ours


def due_postings(connection_id: str, limit: int) -> list[DuePosting]:
    """The next postings to send, oldest first."""
    return [DuePosting(*row) for row in read(DUE, connection_id=connection_id, most=limit)]


def next_together(due: Sequence[DuePosting], most: int) -> tuple[list[DuePosting], list[DuePosting]]:
    """Those that travel in the next request, and the rest. One that must travel alone goes by itself."""
    first, rest = due[:most], list(due[most:])
    if first and first[0].alone:
        return list(first[:1]), [*first[1:], *rest]
    return [p for p in first if not p.alone], [*(p for p in first if p.alone), *rest]


AT_STAKE = """
    SELECT DISTINCT state, reason, bank_account_id FROM posting
    WHERE connection_id = {connection_id} AND state IN ('due', 'held')
"""


def at_stake(connection_id: str) -> set[tuple[str, str, str]]:
    """What is due or held over a connection: each (state, reason, bank account id) that there is."""
    return set(read(AT_STAKE, connection_id=connection_id))
