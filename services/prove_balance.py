"""The proof: Qonto's balance against Xero's, account by account, and the exact ids of whatever differs.

It rests on three things that are read apart from each other: Qonto's balance now, what the account held before the
first transaction that is sent, and what is in Xero. Our record only gives names to what differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from clients.errors import Permanent, Unreadable
from clients.qonto.bank_accounts import QontoAccount, list_bank_accounts
from clients.xero.bank_transactions import (
    BankTransaction,
    UnreadableBankTransaction,
    list_bank_transactions,
)
from domain.money import signed, to_cents
from domain.reasons import Awaited as Why
from domain.reasons import Excluded, sentence
from models.awaited_transaction import Awaited, awaited_of
from models.bank_account import AccountLink, accounts_not_listed
from models.organisation import Connection, first_start
from models.posting import Posting
from models.posting_version import TAKEN_BACK
from models.states import SETTLED_IN_XERO
from services.opening_balance import opening_of
from services.read_transactions import is_ours, unread_pages
from services.store_transactions import awaited_in
from services.workbench import Workbench

BALANCE_HIDDEN = "Qonto does not show this account's balance to the person who connected"
OPENING_UNKNOWN = "what the account held before its first transaction is not known yet"
NOT_LISTED = "Qonto does not list this account any more"
MAY_NOT_COUNT = {Why.NOT_SETTLED, Why.NOT_COMPLETED}
UNREADABLE_ACCOUNT = "Qonto's answer for this account cannot be read"


@dataclass(frozen=True)
class Difference:
    """One transaction that makes the balances differ: by `cents` in Qonto's favour, and why."""

    transaction_id: str
    bank_transaction_id: str
    cents: int
    why: str


@dataclass(frozen=True)
class AccountBalance:
    """Cents throughout. `opening` is Qonto's balance before the first transaction that is sent: Xero starts at zero.

    `to_come` is what has settled since the last night. `unexplained` is what remains of qonto - opening - to_come -
    xero once every difference is named; anything but 0 is an error. `problem` says why nothing can be proved; what is
    not known is 0 then.
    """

    bank_account_id: str
    name: str
    currency: str
    qonto: int = 0
    opening: int = 0
    to_come: int = 0
    xero: int = 0
    differences: list[Difference] = field(default_factory=list)
    unexplained: int = 0
    problem: str = ""

    @property
    def is_equal(self) -> bool:
        return not self.problem and not self.differences and self.qonto - self.opening - self.to_come == self.xero

    @property
    def is_proved(self) -> bool:
        return not self.problem and self.unexplained == 0


@dataclass(frozen=True)
class _New:
    """What no night has read yet: the sum of what settled, what stored ones move now, and what cannot be stored."""

    to_come: int
    changed: Mapping[str, int]
    awaited: Mapping[str, Awaited]


class _Proof:
    """One reading of Xero, held against Qonto's accounts as often as needed."""

    def __init__(self, connection: Connection, workbench: Workbench) -> None:
        self._connection = connection
        self._qonto = workbench.qonto(connection)
        self._starts_at = first_start(connection.organisation_id, connection.tenant_id) or connection.starts_at
        self._homes: defaultdict[str, set[str]] = defaultdict(set)
        for link in AccountLink.select().where(AccountLink.tenant_id == connection.tenant_id):
            self._homes[link.bank_account_id].add(link.xero_account_id)
        self._in_xero: defaultdict[str, list[BankTransaction]] = defaultdict(list)
        self._unreadable: dict[str | None, str] = {}  # by the account in Xero, which may be unreadable too
        for row in list_bank_transactions(workbench.xero(connection), report=self._note_unreadable):
            self._in_xero[row.bank_account.account_id].append(row)

    def accounts(self) -> list[AccountBalance]:
        """Return every account. One that does not add up is read twice: something may have settled meanwhile."""
        listed = list_bank_accounts(self._qonto)
        proofs = {account.id: self._account(account) for account in listed if not account.is_external_account}
        if any(proof.unexplained for proof in proofs.values()):
            for account in list_bank_accounts(self._qonto):
                if account.id in proofs and proofs[account.id].unexplained:
                    proofs[account.id] = self._account(account)
        odd = [AccountBalance(one.id or "?", "?", "", problem=UNREADABLE_ACCOUNT) for one in listed.unreadable]
        seen = {one.id for one in listed} | {one.id for one in listed.unreadable}
        return [*proofs.values(), *odd, *self._not_listed(seen)]

    def _not_listed(self, listed: Collection[str | None]) -> Iterator[AccountBalance]:
        """Yield the accounts that are known here, and that Qonto's list lacks."""
        for account in accounts_not_listed(self._connection.organisation_id, listed):
            yield AccountBalance(account.id, account.name, account.currency, problem=NOT_LISTED)

    def _note_unreadable(self, row: UnreadableBankTransaction) -> None:
        self._unreadable[row.account_id] = f"Xero's row {row.bank_transaction_id or '?'} cannot be read: {row.problem}"

    def _account(self, account: QontoAccount) -> AccountBalance:
        proof = AccountBalance(account.id, account.name, account.currency)
        for home in (*self._homes[account.id], None):
            if home in self._unreadable:
                return replace(proof, problem=self._unreadable[home])
        postings = self._postings(account.id)
        rows = [row for home in self._homes[account.id] if home for row in self._in_xero[home]]
        try:
            opening = opening_of(self._qonto, self._connection.tenant_id, account.id, self._starts_at)
            new = self._new(account, postings)
        except (Permanent, Unreadable) as error:
            return replace(proof, problem=str(error))
        if account.balance_cents is None or opening is None:
            return replace(proof, problem=BALANCE_HIDDEN if opening else OPENING_UNKNOWN)
        xero = sum(_cents(row) for row in rows if not row.is_deleted)
        left = account.balance_cents - opening.cents - new.to_come - xero
        differences = list(_differences({posting.url: posting for posting in postings}, rows, new.changed))
        left -= sum(difference.cents for difference in differences)
        waiting = list(_waiting(new.awaited, {posting.transaction_id: posting for posting in postings}, left))
        return replace(
            proof,
            qonto=account.balance_cents,
            opening=opening.cents,
            to_come=new.to_come,
            xero=xero,
            differences=differences + waiting,
            unexplained=left - sum(difference.cents for difference in waiting),
        )

    def _postings(self, bank_account_id: str) -> list[Posting]:
        ours = (Posting.tenant_id == self._connection.tenant_id) & (Posting.bank_account_id == bank_account_id)
        since = Posting.settled_at >= self._starts_at
        return list(Posting.select().where(ours & since).order_by(Posting.settled_at, Posting.id))

    def _new(self, account: QontoAccount, postings: Sequence[Posting]) -> _New:
        stored = {posting.transaction_id for posting in postings}
        changed = {
            posting.transaction_id: posting.changed_cents for posting in postings if posting.changed_cents is not None
        }
        known = awaited_of(self._connection.tenant_id, account.id)
        awaited = {
            row.transaction_id: Awaited(row.transaction_id, row.reason, row.updated_at, row.signed_cents)
            for row in known
        }
        settled: dict[str, int] = {}
        for page in unread_pages(self._connection, self._qonto, account.id):
            settled |= {
                row.id: signed(row.side, row.amount_cents)
                for row in page.rows
                if row.id not in stored and is_ours(self._connection, row)
            }
            changed |= {
                row.id: signed(row.side, row.amount_cents) for row in page.rows if row.id in stored and row.settled_at
            }
            awaited |= {row.transaction_id: row for row in awaited_in(page, self._connection.starts_at)}
        awaited = {key: row for key, row in awaited.items() if key not in settled and key not in changed}
        return _New(sum(settled.values()), changed, awaited)


def prove_balance(connection: Connection, workbench: Workbench) -> list[AccountBalance]:
    """Read both sides whole and return every account of Qonto's own; write nothing."""
    return _Proof(connection, workbench).accounts()


def _waiting(awaited: Mapping[str, Awaited], by_id: Mapping[str, Posting], left: int) -> Iterator[Difference]:
    """What Qonto lists and cannot be stored as it is.

    Whether Qonto counts what has not completed or settled is unknown: it counts unless the rest adds up alone.
    """
    moved = {key: _moved(row, by_id.get(key)) for key, row in awaited.items()}
    readable = sum(cents for key, cents in moved.items() if awaited[key].reason not in MAY_NOT_COUNT)
    for key, row in awaited.items():
        counts = row.reason not in MAY_NOT_COUNT or left != readable
        yield Difference(key, "", moved[key] if counts else 0, sentence(row.reason))


def _moved(row: Awaited, posting: Posting | None) -> int:
    if row.signed_cents is None:
        return 0
    return row.signed_cents - (signed(posting.side, posting.amount_cents) if posting else 0)


def _differences(
    by_url: Mapping[str, Posting], rows: Sequence[BankTransaction], changed: Mapping[str, int]
) -> Iterator[Difference]:
    """Yield row by row what Xero has and should not, has otherwise, or has not. Qonto's newest word is right."""
    counted: set[str] = set()
    for row in rows:
        posting, is_copy = by_url.get(row.url), row.url in counted
        cents = 0 if row.is_deleted else _cents(row)
        expected = _in_qonto(posting, changed) if posting and not is_copy else 0
        counted.add(row.url)
        if expected != cents:
            ours = posting.transaction_id if posting else ""
            why = "twice in Xero" if posting and is_copy and not row.is_deleted else _why(row, posting)
            yield Difference(ours, row.bank_transaction_id, expected - cents, why)
    for url, posting in by_url.items():
        cents = _in_qonto(posting, changed)
        if url not in counted and cents:
            yield Difference(posting.transaction_id, posting.bank_transaction_id, cents, _absent(posting))


def _in_qonto(posting: Posting, changed: Mapping[str, int]) -> int:
    """Return what a transaction moves in Qonto now."""
    if posting.reason == Excluded.TAKEN_BACK:
        return 0
    return changed.get(posting.transaction_id, signed(posting.side, posting.amount_cents))


def _cents(row: BankTransaction) -> int:
    return signed("credit" if row.type.startswith("RECEIVE") else "debit", to_cents(row.total))


def _why(row: BankTransaction, posting: Posting | None) -> str:
    if posting is None:
        return "not from Qonto"
    if row.is_deleted:
        return "deleted in Xero"
    if _cents(row) != signed(posting.side, posting.amount_cents):
        return "changed in Xero"
    if posting.changed_to == TAKEN_BACK:
        return "taken back in Qonto"
    return f"changed in Qonto: {posting.changed_to}" if posting.changed_to else "changed in Qonto"


def _absent(posting: Posting) -> str:
    if posting.state in SETTLED_IN_XERO:
        return "in no account of ours in Xero any more"
    return f"{posting.state}: {posting.reason}".rstrip(": ")
