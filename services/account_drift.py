"""Compare an account's balance in Qonto with what was read of it, and find what was missed or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from clients.qonto.bank_accounts import list_bank_accounts
from domain.changes import Follows, what_follows
from domain.money import in_words, signed
from domain.reasons import Excluded, Noted
from models.awaited_transaction import awaited_of
from models.bank_account import BankAccount, cursor_of, store_drift
from models.opening_balance import OpeningBalance, store_opening, stored_opening
from models.organisation import first_start
from models.posting import Posting
from models.posting_version import TAKEN_BACK, note_change, postings_since, store_version, sum_in_qonto
from models.states import PostingState
from services.job import Job
from services.opening_balance import ask_opening, is_final
from services.read_transactions import OVERLAP, read_from, walk
from services.store_transactions import store_page

FIRST_NIGHTS, WEEK = 3, 7  # days
HALF_A_DAY = timedelta(hours=12)  # no two nights are exactly a day apart
MOST_PAGES = 200  # of one account, read again at once: 20,000 transactions


def explain_drift(job: Job, account: BankAccount, balance_cents: int | None) -> None:
    """Read all of an account again when its balance does not follow from what was read.

    What Qonto then lists no more is taken back, if the balance says so too: neither answer alone is enough. A
    difference that stays is stored, and told if it is there on another night.
    """
    starts_at = first_start(job.organisation.id, job.tenant_id) or job.connection.starts_at
    opening = stored_opening(job.tenant_id, account.id)
    if balance_cents is None or opening is None or not is_final(opening, starts_at):
        return
    if awaited_of(job.tenant_id, account.id):
        return  # that money is named already
    cursor = cursor_of(job.connection.id, account.id)
    known = cursor.drift_cents if cursor else None
    drift = _drift(job, account, opening, balance_cents)
    since = cursor.drift_since if cursor else None
    if drift and (drift != known or since is None or is_looked_at_again(since, job.now())):
        looked = _look_again(job, account, opening)
        drift = known or 0 if looked is None else looked
    if drift and drift == known:
        job.notes.append(f"account {account.id}: its balance in Qonto differs by {in_words(drift, account.currency)}")
    if (drift or None) != known:
        with job.holding():
            store_drift(job.connection, account.id, drift or None, job.now())


def is_looked_at_again(since: datetime, now: datetime) -> bool:
    """Return whether to read all of an account again for a difference that stays: on a few nights, then once a week."""
    days = (now - since + HALF_A_DAY).days
    return days <= FIRST_NIGHTS or days % WEEK == 0


def _drift(job: Job, account: BankAccount, opening: OpeningBalance, balance_cents: int) -> int:
    """Return by how many cents Qonto's balance is more than what was read leads to."""
    return balance_cents - opening.cents - sum_in_qonto(job.tenant_id, account.id, opening.starts_at)


def _look_again(job: Job, account: BankAccount, opening: OpeningBalance) -> int | None:
    """Return what stays of a difference: after the newest rows, after all rows, and without what was taken back.

    `None` where Qonto shows no balance now: what is known of a difference stays.
    """
    balance_cents = _balance_now(job, account)
    if balance_cents is None:
        return None
    for page in walk(job.qonto, account.id, read_from(job.connection, cursor_of(job.connection.id, account.id))):
        store_page(job, account, page, place=opening.starts_at)
    if not (drift := _drift(job, account, opening, balance_cents)):
        return 0
    listed = _read_whole(job, account, opening)
    drift = _drift(job, account, opening, balance_cents)
    if drift and listed is not None:
        _take_back(job, account, opening, listed, drift)
        drift = _drift(job, account, opening, balance_cents)
    return drift and _ask_opening_again(job, account, opening, drift)


def _balance_now(job: Job, account: BankAccount) -> int | None:
    return next((one.balance_cents for one in list_bank_accounts(job.qonto) if one.id == account.id), None)


def _read_whole(job: Job, account: BankAccount, opening: OpeningBalance) -> set[str] | None:
    """Store all that Qonto lists since the start and return the ids; `None` when that is more than is read at once."""
    listed: set[str] = set()
    for number, page in enumerate(walk(job.qonto, account.id, opening.starts_at - OVERLAP)):
        if number == MOST_PAGES:
            return None
        listed |= store_page(job, account, page, place=opening.starts_at)
    return listed


def _take_back(job: Job, account: BankAccount, opening: OpeningBalance, listed: set[str], drift: int) -> None:
    """Note what Qonto lists no more, if that is exactly what the balance lacks and nothing of it is on its way."""
    stored = postings_since(job.tenant_id, account.id, opening.starts_at)
    vanished = [posting for posting in stored if posting.transaction_id not in listed and _moved(posting)]
    on_their_way = [posting for posting in vanished if what_follows(posting.state, posting.reason) == Follows.WAIT]
    if on_their_way or sum(map(_moved, vanished)) != -drift:
        return
    with job.holding():
        _note_taken_back(job, vanished)


def _note_taken_back(job: Job, vanished: Sequence[Posting]) -> None:
    for posting in vanished:
        if what_follows(posting.state, posting.reason) == Follows.NOTE:
            note_change(posting, TAKEN_BACK, 0, job.now(), reason=Noted.TAKEN_BACK, detail="")
            job.notes.append(f"Qonto took {posting.transaction_id} back")
        else:
            left_out = {"state": PostingState.EXCLUDED, "reason": Excluded.TAKEN_BACK, "reason_detail": ""}
            store_version(posting, left_out, job.now(), "")


def _moved(posting: Posting) -> int:
    if posting.state == PostingState.EXCLUDED and posting.reason == Excluded.TAKEN_BACK:
        return 0
    as_stored = signed(posting.side, posting.amount_cents)
    return as_stored if posting.changed_cents is None else int(posting.changed_cents)


def _ask_opening_again(job: Job, account: BankAccount, opening: OpeningBalance, drift: int) -> int:
    """Return what stays of a difference if Qonto now says otherwise what the account held before the start."""
    now = ask_opening(job.qonto, opening, account.id, opening.starts_at)
    if now is None or now.cents - opening.cents != drift:
        return drift
    with job.holding():
        store_opening(job.tenant_id, account.id, now.starts_at, now.cents, now.source)
    return 0
