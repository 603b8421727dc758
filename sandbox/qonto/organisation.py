"""A Qonto organisation: who it is, its people and its bank accounts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.qonto.account import BankAccount
from sandbox.qonto.people import Person
from sandbox.qonto.transaction import Transaction
from sandbox.wire import encode_json


@dataclass(slots=True, eq=False)
class Organisation:
    """A customer of the bank."""

    id: str
    slug: str
    secret: str
    name: str
    locale: str
    legal_country: str
    tenant_id: str | None = None
    accounts: dict[str, BankAccount] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    _by_transaction: dict[str, BankAccount] = field(default_factory=dict)

    def add_rows(self, account: BankAccount, rows: list[Transaction]) -> None:
        """Put rows into an account."""
        account.add(rows)
        self._by_transaction.update((row.id, account) for row in rows)

    def account_of(self, transaction_id: str) -> BankAccount | None:
        """The account that holds a transaction."""
        return self._by_transaction.get(transaction_id)

    def transaction(self, transaction_id: str) -> Transaction | None:
        """The transaction of this id."""
        account = self._by_transaction.get(transaction_id)
        return account.transactions[transaction_id] if account else None

    def transactions(self) -> Iterable[Transaction]:
        """Every row of every account, oldest first."""
        rows = (row for account in self.accounts.values() for row in account.transactions.values())
        return sorted(rows, key=lambda row: row.sequence)

    @property
    def transaction_count(self) -> int:
        """How many rows it has."""
        return len(self._by_transaction)

    def json(self, with_external: bool) -> bytes:
        """The organisation with its accounts, as GET /v2/organization shows it."""
        head = {
            "id": self.id,
            "name": self.name,
            "slug": self.slug,
            "legal_name": self.name,
            "locale": self.locale,
            "legal_share_capital": 1000,
            "legal_country": self.legal_country,
            "legal_registration_date": "2019-05-02",
            "legal_form": "SAS",
            "legal_address": "1 rue de la Paix, Paris",
            "legal_sector": "6201",
            "contract_signed_at": "2021-02-03T09:10:11.120Z",
            "legal_number": "000000000",
        }
        shown = [account.json(True) for account in self.accounts.values() if with_external or not account.is_external]
        return b'%b,"bank_accounts":[%b]}' % (encode_json(head)[:-1], b",".join(shown))
