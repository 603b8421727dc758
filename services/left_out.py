"""Transactions of an account that is closed in Qonto and was taken out of Xero: left out until the account is back."""

from __future__ import annotations

from domain.reasons import Excluded, sentence
from domain.replay import NEVER_AGAIN
from models.due_posting import at_stake
from models.posting import Posting, is_left_out, move
from models.states import PostingState
from services.job import Job

WAITING = (PostingState.DUE, PostingState.HELD)


def accounts_with_rows(job: Job) -> set[str]:
    """Return the ids of the bank accounts that have transactions to send, now or once their hold is gone."""
    return {account_id for _, reason, account_id in at_stake(job.connection.id) if reason not in NEVER_AGAIN}


def leave_out(job: Job, bank_account_id: str) -> None:
    """Exclude what waits to be sent of an account, and note how much it is."""
    ours = (Posting.connection_id == job.connection.id) & (Posting.bank_account_id == bank_account_id)
    waiting = ours & Posting.state.in_(WAITING) & Posting.reason.not_in(NEVER_AGAIN)
    with job.holding():
        left = move(waiting, PostingState.EXCLUDED, job.now(), reason=Excluded.ACCOUNT_GONE)
    if left:
        counted = f"{left} transaction{'s are' if left > 1 else ' is'} left out"
        job.notes.append(f"account {bank_account_id}: {counted}. {sentence(Excluded.ACCOUNT_GONE)}")


def take_back(job: Job, bank_account_id: str) -> None:
    """Make due what was left out of an account that is in Xero again. Call it inside `job.holding()`."""
    ours = (Posting.connection_id == job.connection.id) & (Posting.bank_account_id == bank_account_id)
    left_out = ours & is_left_out(Excluded.ACCOUNT_GONE)
    move(left_out, PostingState.DUE, job.now(), detail="its account is back")
