"""The record of a Xero organisation, held against what others have: what is in it, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from models.posting import IDS_A_STATEMENT, Posting, of_organisation
from models.states import PostingState


def posted_rows(organisation_id: str, tenant_id: str) -> list[tuple[str, str]]:
    """What of an organisation's is in Xero by our record, and not deleted: (transaction id, bank transaction id)."""
    columns = (Posting.transaction_id, Posting.bank_transaction_id)
    posted = of_organisation(organisation_id, tenant_id) & (Posting.state == PostingState.POSTED)
    rows = Posting.select(*columns).where(posted).order_by(Posting.id).tuples()
    return list(cast("Iterable[tuple[str, str]]", rows))


def of_links(organisation_id: str, tenant_id: str, links: Sequence[str]) -> list[Posting]:
    """An organisation's postings in a Xero organisation that have these links to Qonto."""
    found: list[Posting] = []
    ours = of_organisation(organisation_id, tenant_id)
    for start in range(0, len(links), IDS_A_STATEMENT):
        some = Posting.url.in_(list(links[start : start + IDS_A_STATEMENT]))
        found.extend(Posting.select().where(ours & some).order_by(Posting.id))
    return found


def known_transactions(tenant_id: str, transaction_ids: Sequence[str]) -> set[str]:
    """Which of these a Xero organisation's record has."""
    found: set[str] = set()
    for start in range(0, len(transaction_ids), IDS_A_STATEMENT):
        some = Posting.transaction_id.in_(list(transaction_ids[start : start + IDS_A_STATEMENT]))
        rows = Posting.select(Posting.transaction_id).where(some & (Posting.tenant_id == tenant_id))
        found |= {row.transaction_id for row in rows}
    return found


def known_elsewhere(tenant_id: str, transaction_ids: Sequence[str]) -> dict[str, str]:
    """Which of these the record of another Xero organisation has, and of which."""
    found: dict[str, str] = {}
    for start in range(0, len(transaction_ids), IDS_A_STATEMENT):
        some = Posting.transaction_id.in_(list(transaction_ids[start : start + IDS_A_STATEMENT]))
        columns = (Posting.transaction_id, Posting.tenant_id)
        for one in Posting.select(*columns).where(some & (Posting.tenant_id != tenant_id)):
            found[one.transaction_id] = one.tenant_id
    return found
