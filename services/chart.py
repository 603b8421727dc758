"""Xero's chart of accounts as read once in a turn, kept true to what we learn and add."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from clients.errors import Permanent, RemoteError, Temporary
from clients.xero.accounts import XeroAccount, list_accounts, read_account
from clients.xero.client import Xero
from domain.account_choice import ACTIVE, InXero
from services.job import Job

LISTED_AFTER = 5  # bad turns in a row, which take 38 minutes: no list lags for so long
NONE_SHOWN = "the answer shows none of the accounts that Xero had"


@dataclass
class Chart:
    """Every account of one Xero organisation, archived ones too.

    `unclear` are the ids of accounts that the list does not show as active and that Xero could not show by id, each
    with what went wrong: nothing may be concluded about them in this turn.
    """

    accounts: list[XeroAccount]
    unclear: dict[str, RemoteError] = field(default_factory=dict)

    def by_code(self) -> dict[str, InXero]:
        return {account.code: _in_xero(account) for account in self.accounts if account.code}

    def by_id(self) -> dict[str, InXero]:
        return {account.account_id: _in_xero(account) for account in self.accounts if account.account_id}

    def names(self) -> set[str]:
        return {account.name for account in self.accounts}

    def active_codes(self) -> set[str]:
        return {account.code for account in self.accounts if account.code and account.status == ACTIVE}

    def active_ids(self) -> set[str]:
        return {account.account_id for account in self.accounts if account.status == ACTIVE}

    def put(self, account: XeroAccount) -> None:
        """Add an account, or replace what the list shows of it."""
        self.accounts = [one for one in self.accounts if one.account_id != account.account_id]
        self.accounts.append(account)

    def add_unknown(self, accounts: Iterable[XeroAccount]) -> None:
        """Add what a later list shows in addition. What is known of the others stays: a list may lag behind another."""
        known = self.by_id().keys()
        self.accounts += [account for account in accounts if account.account_id not in known]

    def note_taken(self, name: str) -> None:
        """Xero says that this name is taken, by an account that it does not list."""
        self.accounts.append(XeroAccount(account_id="", name=name, type="", status="UNLISTED"))


def read_chart(xero: Xero, in_use: Iterable[str], known: Collection[str] = ()) -> Chart:
    """Read the list of accounts, and by its id each account in use that the list does not show as active.

    `in_use` are the ids of the accounts that we post to, `known` the ids and codes of which a true list shows at least
    one. Raises Temporary for a list that is empty or shows none of them.
    """
    chart = Chart(list_accounts(xero))
    if not chart.accounts:
        raise Temporary("Xero GET /Accounts", "the answer lists no account at all")
    listed = chart.by_id()
    for account_id in in_use:
        if account_id not in listed or listed[account_id].status != ACTIVE:
            _read_by_id(xero, chart, account_id)
    if known and (chart.by_id().keys() | chart.by_code().keys()).isdisjoint(known):
        raise Temporary("Xero GET /Accounts", NONE_SHOWN)
    return chart


def not_listed(code: str) -> str:
    """Return what is wrong while Xero has a Code and no list shows it."""
    return f"the Code {code} is taken, by an account that is not listed yet"


def has_waited_for_lists(job: Job, problem: str) -> bool:
    """Return whether the run has tried for so long that what a list still lacks is not there.

    Its last turn has to have ended for the same problem: turns that failed for another cause saw no list.
    """
    return int(job.run.failures) >= LISTED_AFTER and problem in job.run.reason


def _read_by_id(xero: Xero, chart: Chart, account_id: str) -> None:
    try:
        found = read_account(xero, account_id)
    except (Temporary, Permanent) as error:
        chart.unclear[account_id] = error
        return
    if found is not None:
        chart.put(found)


def _in_xero(account: XeroAccount) -> InXero:
    return InXero(account.account_id, account.code, account.status)
