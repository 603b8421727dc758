"""Read the transactions of several accounts; what fails for one fails for it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from clients.errors import Permanent, RemoteError, Temporary, Unreadable
from clients.qonto.bank_accounts import QontoAccount
from domain.account_choice import CLOSED
from domain.following import is_read_for_good
from domain.reasons import Noted
from models.bank_account import (
    BankAccount,
    store_read_whole,
    store_readable,
    store_unread,
    unread_accounts,
    whole_readings,
)
from models.organisation import Connection
from services.import_transactions import import_transactions
from services.job import Job
from services.opening_balance import adds_up


def accounts_to_read(
    connection: Connection, in_qonto: Sequence[QontoAccount], *, only_closed: bool = False
) -> list[QontoAccount]:
    """Return those whose transactions may have changed: all but the closed ones that were read for good.

    Closed ones that Qonto's balance says otherwise of are read again: an answer may have lacked rows, and a row may
    settle late.
    """
    whole = whole_readings(connection.id)
    return [
        account
        for account in in_qonto
        if (account.status == CLOSED or not only_closed)
        and not (
            is_read_for_good(account.status, account.updated_at, whole.get(account.id))
            and adds_up(connection.tenant_id, account)
        )
    ]


@dataclass
class Reading:
    """`whole` are the ids of accounts that were read to their end, `unread` of those that Qonto refuses or answers
    unreadably. `is_cut_short`: the turn was over first.
    """

    whole: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    is_cut_short: bool = False

    def whole_of(self, listed: Sequence[QontoAccount], to_read: Sequence[QontoAccount]) -> set[str]:
        """Return the ids of those listed that were read to their end, now or for good."""
        return {one.id for one in listed} - {one.id for one in to_read} | self.whole


def read_accounts(job: Job, accounts: Sequence[QontoAccount]) -> Reading:
    """Store what is new in each, and which closed ones were read to their end.
    An outage is a problem: the run comes back for the account. A refusal or an unreadable answer would be the same
    again, so it is a note, stored until the account can be read.
    """
    began_at = job.now()
    reading = Reading()
    unread_before = unread_accounts(job.connection.id)
    stored = {row.id: row for row in BankAccount.select().where(BankAccount.id.in_([one.id for one in accounts]))}
    for account in accounts:
        try:
            if not import_transactions(job, stored[account.id], account.balance_cents):
                reading.is_cut_short = True
                continue
        except (Permanent, Unreadable) as error:
            reading.unread.add(account.id)
            _note_unread(job, account.id, error)
            continue
        except Temporary as error:
            job.problems.append(f"account {account.id}: {error}")
            continue
        reading.whole.add(account.id)
        if account.id in unread_before:
            with job.holding():
                store_readable(job.connection.id, account.id)
        if account.status == CLOSED:
            with job.holding():
                store_read_whole(job.connection.id, account.id, job.connection.starts_at, began_at)
    return reading


def _note_unread(job: Job, account_id: str, error: RemoteError) -> None:
    job.notes.append(f"account {account_id}: {error}")
    reason = Noted.ACCOUNT_REFUSED if isinstance(error, Permanent) else Noted.ACCOUNT_UNREADABLE
    with job.holding():
        store_unread(job.connection, account_id, reason, job.now())
