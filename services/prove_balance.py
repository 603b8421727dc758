"""The proof: Qonto's balance against Xero's, account by account, and the exact ids of whatever differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from clients.errors import Unreadable
from clients.qonto.bank_accounts import QontoAccount, list_bank_accounts
from clients.qonto.client import Qonto
from clients.xero.bank_transactions import (
    GET,
    BankTransaction,
    Report,
    UnreadableBankTransaction,
    list_bank_transactions,
)
from domain.balance_chain import Settled, opening_balance
from domain.money import signed, to_cents
from models.bank_account import AccountLink
from models.organisation import Connection
from models.posting import Posting
from models.states import SETTLED_IN_XERO
from services.read_transactions import is_ours, unread
from services.workbench import Workbench


@dataclass(frozen=True)
class Difference:
    """One transaction that makes the balances differ: by `cents` in Qonto's favour, and why."""

    transaction_id: str
    bank_transaction_id: str
    cents: int
    why: str


@dataclass(frozen=True)
class AccountBalance:
    """Cents throughout. `opening` is Qonto's balance before the first transaction that we read: Xero starts at zero.

    `to_come` is what has settled since the last night. `unexplained` is what remains of
    qonto - opening - to_come - xero once every difference is named; anything but 0 is an error.
    """

    bank_account_id: str
    name: str
    currency: str
    qonto: int
    opening: int
    to_come: int
    xero: int
    differences: list[Difference]
    unexplained: int

    @property
    def is_equal(self) -> bool:
        return self.qonto - self.opening - self.to_come == self.xero and not self.differences

    @property
    def is_proved(self) -> bool:
        return self.unexplained == 0


def prove_balance(connection: Connection, workbench: Workbench) -> list[AccountBalance]:
    """Reads both sides whole, writes nothing. Accounts without a Xero account and a transaction are left out."""
    links: defaultdict[str, set[str]] = defaultdict(set)
    for link in AccountLink.select().where(AccountLink.tenant_id == connection.tenant_id):
        links[link.bank_account_id].add(link.xero_account_id)
    in_xero: defaultdict[str, list[BankTransaction]] = defaultdict(list)
    for row in list_bank_transactions(workbench.xero(connection), report=_refuse_in(links)):
        in_xero[row.bank_account.account_id].append(row)
    qonto = workbench.qonto(connection)
    proofs = []
    for account in list_bank_accounts(qonto):
        rows = [row for account_id in links[account.id] if account_id for row in in_xero[account_id]]
        postings = _postings(connection, account.id)
        if account.balance_cents is not None and (rows or postings):
            proofs.append(_compare(account, postings, rows, _to_come(connection, qonto, account, postings)))
    return proofs


def _refuse_in(links: Mapping[str, set[str]]) -> Report:
    """Return a report that raises Unreadable if a row may stand in an account of ours: its money is unknown."""
    accounts = set().union(*links.values())

    def refuse(row: UnreadableBankTransaction) -> None:
        if row.account_id is None or row.account_id in accounts:
            raise Unreadable(GET, f"bank transaction {row.bank_transaction_id} cannot be read: {row.problem}")

    return refuse


def _postings(connection: Connection, bank_account_id: str) -> list[Posting]:
    ours = (Posting.tenant_id == connection.tenant_id) & (Posting.bank_account_id == bank_account_id)
    since = Posting.settled_at >= connection.starts_at
    return list(Posting.select().where(ours & since).order_by(Posting.settled_at, Posting.id))


def _to_come(connection: Connection, qonto: Qonto, account: QontoAccount, postings: list[Posting]) -> int:
    """The sum of what Qonto has and no night has read yet."""
    read = {posting.transaction_id for posting in postings}
    rows = unread(connection, qonto, account.id)
    new = {
        row.id: signed(row.side, row.amount_cents) for row in rows if row.id not in read and is_ours(connection, row)
    }
    return sum(new.values())


def _compare(
    account: QontoAccount, postings: list[Posting], rows: list[BankTransaction], to_come: int
) -> AccountBalance:
    qonto = account.balance_cents or 0
    told = opening_balance(
        Settled(p.transaction_id, p.settled_at, signed(p.side, p.amount_cents), p.settled_balance_cents)
        for p in postings
    )
    moved = sum(signed(posting.side, posting.amount_cents) for posting in postings)
    opening = qonto - to_come - moved if told is None else told
    xero = sum(_cents(row) for row in rows if not row.is_deleted)
    differences = list(_differences({posting.url: posting for posting in postings}, rows))
    named = sum(difference.cents for difference in differences)
    return AccountBalance(
        bank_account_id=account.id,
        name=account.name,
        currency=account.currency,
        qonto=qonto,
        opening=opening,
        to_come=to_come,
        xero=xero,
        differences=differences,
        unexplained=qonto - opening - to_come - xero - named,
    )


def _differences(by_url: dict[str, Posting], rows: list[BankTransaction]) -> Iterator[Difference]:
    """Row by row what Xero has and should not, has otherwise, or has not."""
    counted: set[str] = set()
    for row in rows:
        posting = by_url.get(row.url)
        cents = 0 if row.is_deleted else _cents(row)
        expected = signed(posting.side, posting.amount_cents) if posting and row.url not in counted else 0
        counted.add(row.url)
        if expected != cents:
            ours = posting.transaction_id if posting else ""
            yield Difference(ours, row.bank_transaction_id, expected - cents, _why(row, posting, expected))
    for url, posting in by_url.items():
        if url not in counted and posting.amount_cents:
            cents = signed(posting.side, posting.amount_cents)
            yield Difference(posting.transaction_id, posting.bank_transaction_id, cents, _absent(posting))


def _cents(row: BankTransaction) -> int:
    return signed("credit" if row.type.startswith("RECEIVE") else "debit", to_cents(row.total))


def _why(row: BankTransaction, posting: Posting | None, expected: int) -> str:
    if posting is None:
        return "not from Qonto"
    if row.is_deleted:
        return "deleted in Xero"
    return "changed in Xero" if expected else "twice in Xero"


def _absent(posting: Posting) -> str:
    if posting.state in SETTLED_IN_XERO:
        return "in no account of ours in Xero any more"
    return f"{posting.state}: {posting.reason}".rstrip(": ")
