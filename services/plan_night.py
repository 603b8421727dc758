"""What tonight would do, without doing it: reads both sides, writes nowhere, sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from clients.qonto.bank_accounts import QontoAccount, list_bank_accounts
from clients.qonto.client import Qonto
from domain.account_choice import Choice, Create, KnownLink, Use, choose
from domain.bank_transaction import BATCH_ROWS
from domain.money import signed
from domain.reasons import Excluded, LeftOut
from models.bank_account import links_of
from models.due_posting import at_stake
from models.organisation import Connection
from models.posting import Posting, count_by_state
from models.states import LinkState, PostingState
from services.chart import read_chart
from services.read_accounts import accounts_to_read
from services.read_transactions import exclusion, unread, walk
from services.workbench import Workbench

BEFORE_START = Excluded.BEFORE_START
QONTO_BEGAN = datetime(2017, 1, 1, tzinfo=UTC)
MOST_PAGES_BEFORE = 100  # of an account's history before the start: 10,000 rows take a person's minute


@dataclass
class PlannedAccount:
    """One bank account: what becomes of it in Xero, and what would be sent (`cents` is the sum, money in minus out).

    `before_start` counts what settled before the connection's start and is left out, `before_start_cents` is its sum;
    with `has_more_before` only the oldest of it were counted.
    """

    bank_account_id: str
    name: str
    in_xero: str = ""
    to_send: int = 0
    cents: int = 0
    before_start: int = 0
    before_start_cents: int = 0
    has_more_before: bool = False
    excluded: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """`waiting` counts what is stored and not done by state; `writes` are the calls that would send transactions.

    `starts_at` is the connection's start.
    """

    starts_at: datetime
    accounts: list[PlannedAccount]
    waiting: dict[str, int]
    writes: int


def plan_night(connection: Connection, workbench: Workbench) -> Plan:
    """The same rules as the night's, over what Qonto and Xero say now."""
    qonto = workbench.qonto(connection)
    links = links_of(connection.tenant_id, connection.organisation_id)
    in_use = [link.xero_account_id for of_one in links.values() for link in of_one if link.state == LinkState.LIVE]
    chart = read_chart(workbench.xero(connection), in_use)
    waiting_in = {account_id for _, _, account_id in at_stake(connection.id)}
    accounts = []
    in_qonto = list_bank_accounts(qonto)
    to_read = {account.id for account in accounts_to_read(connection, in_qonto)}
    for account in in_qonto:
        planned = PlannedAccount(account.id, account.name)
        if account.id in to_read:
            _count(connection, qonto, account, planned)
        known = [KnownLink(link.generation, link.xero_account_id) for link in links.get(account.id, ())]
        there = chart.by_code(), chart.by_id()
        has_rows = planned.to_send > 0 or account.id in waiting_in
        choice = choose(account.id, account.status, account.is_external_account, known, *there, has_rows=has_rows)
        _plan(planned, choice)
        accounts.append(planned)
    waiting = _waiting(connection)
    due = waiting.get(PostingState.DUE, 0) + sum(account.to_send for account in accounts)
    return Plan(connection.starts_at, accounts, waiting, -(-due // BATCH_ROWS))


def _plan(planned: PlannedAccount, choice: Choice) -> None:
    """Write down what becomes of the account in Xero; nothing is sent of one that is gone for good."""
    if isinstance(choice, Use):
        planned.in_xero = f"there (generation {choice.generation})"
    elif isinstance(choice, Create):
        planned.in_xero = f"to be created (generation {choice.generation})"
    else:
        planned.in_xero = f"left out: {choice.why}"
        if choice.why == LeftOut.GONE and planned.to_send:
            planned.excluded[choice.why] = planned.to_send
            planned.to_send, planned.cents = 0, 0


def _count(connection: Connection, qonto: Qonto, account: QontoAccount, planned: PlannedAccount) -> None:
    """Count what is new to us, and what is left out because it settled before the start, each row once."""
    stored = list(
        Posting.select(Posting.transaction_id, Posting.reason, Posting.side, Posting.amount_cents).where(
            (Posting.tenant_id == connection.tenant_id) & (Posting.bank_account_id == account.id)
        )
    )
    seen = {posting.transaction_id for posting in stored}
    before = {one.transaction_id: signed(one.side, one.amount_cents) for one in stored if one.reason == BEFORE_START}
    for row in unread(connection, qonto, account.id):
        if row.id in seen:
            continue
        seen.add(row.id)
        cents = signed(row.side, row.amount_cents)
        excluded = exclusion(connection, row, is_external=account.is_external_account)
        if excluded == BEFORE_START:
            before[row.id] = cents
        elif excluded:
            planned.excluded[excluded] = planned.excluded.get(excluded, 0) + 1
        else:
            planned.to_send += 1
            planned.cents += cents
    if not account.is_external_account:
        planned.has_more_before = _add_history(connection, qonto, account, before)
    planned.before_start, planned.before_start_cents = len(before), sum(before.values())


def _add_history(connection: Connection, qonto: Qonto, account: QontoAccount, before: dict[str, int]) -> bool:
    """Add what nothing has touched since the start, so that no night reads it; return whether there is more of it."""
    for number, page in enumerate(walk(qonto, account.id, QONTO_BEGAN)):
        if number == MOST_PAGES_BEFORE:
            return True
        for row in page.rows:
            if row.updated_at >= connection.starts_at:
                return False
            if exclusion(connection, row, is_external=False) == BEFORE_START:
                before[row.id] = signed(row.side, row.amount_cents)
    return False


def _waiting(connection: Connection) -> dict[str, int]:
    open_states = (PostingState.DUE, PostingState.SENDING, PostingState.UNCERTAIN, PostingState.HELD)
    counts = count_by_state((Posting.connection_id == connection.id) & Posting.state.in_(open_states))
    by_state: dict[str, int] = {}
    for (state, _), count in counts.items():
        by_state[state] = by_state.get(state, 0) + count
    return by_state
