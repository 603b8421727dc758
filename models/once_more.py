"""Postings that a person wants sent once more, and the rows in Xero that stand for a posting no longer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from peewee import fn

from models.database import is_sqlite
from models.posting import IDS_A_STATEMENT, Posting, move, of_tenant
from models.statements import read
from models.states import PostingState

RECREATED = "recreated"  # the reason of a step that only a person asks for


def lock_posting(posting_id: int) -> tuple[str, str]:
    """Its state and reason, which nobody changes until the transaction ends."""
    row = f"SELECT state, reason FROM posting WHERE id = {{id}}{'' if is_sqlite() else ' FOR UPDATE'}"  # noqa: S608
    ((state, reason),) = read(row, id=posting_id)
    return str(state), str(reason)


def send_again(posting_id: int, connection_id: str, now: datetime, who: str) -> None:
    """A person wants a locked one sent once more, over this connection."""
    detail = f"replayed by {who}"
    move(Posting.id == posting_id, PostingState.DUE, now, detail=detail, refusals=0, connection_id=connection_id)


def make_again(posting_id: int, connection_id: str, now: datetime, who: str) -> None:
    """A person wants a locked one in Xero, over this connection, although another deleted it there.

    From now on the deleted row is no answer to whether Xero has it.
    """
    former = fn.TRIM(Posting.former_ids.concat(" ").concat(Posting.bank_transaction_id))
    made = {"bank_transaction_id": "", "former_ids": former, "refusals": 0, "connection_id": connection_id}
    move(Posting.id == posting_id, PostingState.DUE, now, reason=RECREATED, detail=f"by {who}", **made)


def former_rows(posting_ids: Sequence[int]) -> set[str]:
    """The deleted rows in Xero that stood for any of these once, and do so no more."""
    found: set[str] = set()
    for start in range(0, len(posting_ids), IDS_A_STATEMENT):
        ours = Posting.id.in_(list(posting_ids[start : start + IDS_A_STATEMENT])) & (Posting.former_ids != "")
        for posting in Posting.select(Posting.former_ids).where(ours):
            found.update(posting.former_ids.split())
    return found


def former_rows_in(tenant_id: str) -> set[str]:
    """The same for a whole Xero organisation."""
    ours = of_tenant(tenant_id) & (Posting.former_ids != "")
    return {row for posting in Posting.select(Posting.former_ids).where(ours) for row in posting.former_ids.split()}
