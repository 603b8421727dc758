"""Transactions that Xero has more than once: told while copies live, settled once people have deleted all but one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from clients.xero.bank_transactions import BankTransaction
from models.posting import Posting, move
from models.posting_record import of_links
from models.states import SETTLED_IN_XERO, PostingState
from services.job import Job
from services.look_up import the_one


def settle_surplus(job: Job, rows: Sequence[BankTransaction]) -> list[str]:
    """The transactions of which more than one copy lives in Xero, by Qonto's ids. `rows` are all that Xero has.

    Where at most one lives, our record names it from now on, and the deleted copies stand for the transaction no more.
    """
    copies = _copies(rows)
    twice: list[str] = []
    for posting in of_links(job.organisation.id, job.tenant_id, list(copies)):
        ours = _of(posting, copies[posting.url])
        left = the_one(ours)
        if ours and left is None:
            twice.append(posting.transaction_id)
        elif left and len(ours) > 1 and posting.state in SETTLED_IN_XERO:
            _settle(job, posting, left, ours)
    return twice


def _copies(rows: Sequence[BankTransaction]) -> dict[str, list[BankTransaction]]:
    """Those that share a link, by it."""
    by_link: defaultdict[str, list[BankTransaction]] = defaultdict(list)
    for row in rows:
        if row.url:
            by_link[row.url].append(row)
    return {link: same for link, same in by_link.items() if len(same) > 1}


def _of(posting: Posting, copies: Sequence[BankTransaction]) -> list[BankTransaction]:
    """The copies that stand for it, the one that our record names first."""
    former = posting.former_ids.split()
    ours = [row for row in copies if row.bank_transaction_id not in former]
    return sorted(ours, key=lambda row: row.bank_transaction_id != posting.bank_transaction_id)


def _settle(job: Job, posting: Posting, left: BankTransaction, ours: Sequence[BankTransaction]) -> None:
    surplus = [row.bank_transaction_id for row in ours if row is not left]
    with job.holding():
        move(
            Posting.id == posting.id,
            PostingState.DELETED if left.is_deleted else PostingState.POSTED,
            job.now(),
            detail="a person deleted its surplus copy in Xero",
            bank_transaction_id=left.bank_transaction_id,
            xero_account_id=left.bank_account.account_id,
            former_ids=" ".join([*posting.former_ids.split(), *surplus]),
        )
