"""What tonight would do, without doing it: reads both sides, writes nowhere, sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from clients.qonto.bank_accounts import QontoAccount, list_bank_accounts
from clients.qonto.client import Qonto
from clients.xero.accounts import list_accounts
from domain.account_choice import Choice, Create, KnownLink, Use, choose
from domain.bank_transaction import BATCH_ROWS
from domain.money import signed
from models.bank_account import newest_links
from models.organisation import Connection
from models.posting import Posting, count_by_state
from models.states import PostingState
from services.chart import Chart
from services.read_accounts import accounts_to_read
from services.read_transactions import exclusion, unread
from services.workbench import Workbench


@dataclass
class PlannedAccount:
    """One bank account: what becomes of it in Xero, and what would be sent (`cents` is the sum, money in minus out)."""

    bank_account_id: str
    name: str
    in_xero: str
    to_send: int = 0
    cents: int = 0
    excluded: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """`waiting` counts what is stored and not done by state; `writes` are the calls that would send transactions."""

    accounts: list[PlannedAccount]
    waiting: dict[str, int]
    writes: int


def plan_night(connection: Connection, workbench: Workbench) -> Plan:
    """The same rules as the night's, over what Qonto and Xero say now."""
    qonto = workbench.qonto(connection)
    chart = Chart(list_accounts(workbench.xero(connection)))
    links = newest_links(connection.tenant_id, connection.organisation_id)
    accounts = []
    in_qonto = list_bank_accounts(qonto)
    to_read = {account.id for account in accounts_to_read(connection, in_qonto)}
    for account in in_qonto:
        link = links.get(account.id)
        known = KnownLink(link.generation, link.xero_account_id) if link else None
        choice = choose(account.id, account.status, account.is_external_account, known, chart.by_code(), chart.by_id())
        planned = PlannedAccount(account.id, account.name, _in_words(choice))
        if account.id in to_read:
            _count_new(connection, qonto, account, planned)
        accounts.append(planned)
    waiting = _waiting(connection)
    due = waiting.get(PostingState.DUE, 0) + sum(account.to_send for account in accounts)
    return Plan(accounts, waiting, -(-due // BATCH_ROWS))


def _in_words(choice: Choice) -> str:
    if isinstance(choice, Use):
        return f"there (generation {choice.generation})"
    if isinstance(choice, Create):
        return f"to be created (generation {choice.generation})"
    return f"left out: {choice.why}"


def _count_new(connection: Connection, qonto: Qonto, account: QontoAccount, planned: PlannedAccount) -> None:
    known = Posting.select(Posting.transaction_id).where(
        (Posting.tenant_id == connection.tenant_id) & (Posting.bank_account_id == account.id)
    )
    seen = {posting.transaction_id for posting in known}
    for row in unread(connection, qonto, account.id):
        if row.id in seen:
            continue
        seen.add(row.id)
        excluded = exclusion(connection, row, is_external=account.is_external_account)
        if excluded:
            planned.excluded[excluded] = planned.excluded.get(excluded, 0) + 1
        else:
            planned.to_send += 1
            planned.cents += signed(row.side, row.amount_cents)


def _waiting(connection: Connection) -> dict[str, int]:
    open_states = (PostingState.DUE, PostingState.SENDING, PostingState.UNCERTAIN, PostingState.HELD)
    counts = count_by_state((Posting.connection_id == connection.id) & Posting.state.in_(open_states))
    by_state: dict[str, int] = {}
    for (state, _), count in counts.items():
        by_state[state] = by_state.get(state, 0) + count
    return by_state
