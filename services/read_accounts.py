"""Read the transactions of several accounts; what fails for one fails for it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from clients.errors import Permanent, Temporary
from clients.qonto.bank_accounts import QontoAccount
from domain.account_choice import CLOSED
from domain.following import is_read_for_good
from models.bank_account import BankAccount, store_read_whole, whole_readings
from models.organisation import Connection
from services.import_transactions import import_transactions
from services.job import Job


def accounts_to_read(
    connection: Connection, in_qonto: Sequence[QontoAccount], *, only_closed: bool = False
) -> list[QontoAccount]:
    """Those whose transactions may have changed: all but the closed ones that were read for good."""
    whole = whole_readings(connection.id)
    return [
        account
        for account in in_qonto
        if not is_read_for_good(account.status, account.updated_at, whole.get(account.id))
        and (account.status == CLOSED or not only_closed)
    ]


@dataclass
class Reading:
    """`whole` are the ids of accounts that were read to their end. `is_cut_short`: the turn was over first."""

    whole: set[str] = field(default_factory=set)
    is_cut_short: bool = False


def read_accounts(job: Job, accounts: Sequence[QontoAccount]) -> Reading:
    """Store what is new in each; that a closed one came to its end is remembered. Problems are noted in the job."""
    began_at = job.now()
    reading = Reading()
    stored = {row.id: row for row in BankAccount.select().where(BankAccount.id.in_([one.id for one in accounts]))}
    for account in accounts:
        try:
            if not import_transactions(job, stored[account.id]):
                reading.is_cut_short = True
                continue
        except (Temporary, Permanent) as error:
            job.problems.append(f"account {account.id}: {error}")
            continue
        reading.whole.add(account.id)
        if account.status == CLOSED:
            with job.holding():
                store_read_whole(job.connection.id, account.id, job.connection.starts_at, began_at)
    return reading
