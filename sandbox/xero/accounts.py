"""A Xero organisation's chart of accounts."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.ids import Ids
from sandbox.wire import encode_json
from sandbox.xero.notation import instant_json

# A few of the accounts a new Global organisation starts with: code, name, type, class, system account.
_STARTING_CHART = (
    ("200", "Sales", "REVENUE", "REVENUE", ""),
    ("260", "Other Revenue", "REVENUE", "REVENUE", ""),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "EXPENSE", ""),
    ("400", "Advertising", "EXPENSE", "EXPENSE", ""),
    ("404", "Bank Fees", "EXPENSE", "EXPENSE", ""),
    ("429", "General Expenses", "EXPENSE", "EXPENSE", ""),
    ("610", "Accounts Receivable", "CURRENT", "ASSET", "DEBTORS"),
    ("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "CREDITORS"),
    ("820", "Sales Tax", "CURRLIAB", "LIABILITY", "GST"),
    ("850", "Suspense", "CURRLIAB", "LIABILITY", ""),
    ("960", "Retained Earnings", "EQUITY", "EQUITY", "RETAINEDEARNINGS"),
)
CLASS_OF_TYPE = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "EQUITY": "EQUITY",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
    "OTHERINCOME": "REVENUE",
    "DIRECTCOSTS": "EXPENSE",
    "EXPENSE": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "DEPRECIATN": "EXPENSE",
}
_REPORTING = {"ASSET": "ASS", "LIABILITY": "LIA", "EQUITY": "EQU", "REVENUE": "REV", "EXPENSE": "EXP"}
_REPORTING_NAME = {"ASS": "Assets", "LIA": "Liabilities", "EQU": "Equity", "REV": "Revenue", "EXP": "Expense"}


@dataclass(slots=True, eq=False)
class Account:
    """One account; `made_by` is `api` or `person`, `used` counts its transactions and lines."""

    id: str
    name: str
    code: str
    type: str
    created_ms: int
    updated_ms: int
    status: str = "ACTIVE"
    currency: str | None = None
    bank_account_number: str | None = None
    bank_account_type: str = "BANK"
    description: str | None = None
    tax_type: str = "NONE"
    system: str = ""
    made_by: str = "api"
    key: str | None = None
    used: int = 0

    @property
    def is_bank(self) -> bool:
        """Whether transactions can be in it."""
        return self.type == "BANK"

    def json(self) -> bytes:
        """The account as Xero shows it."""
        kind = CLASS_OF_TYPE[self.type]
        reporting = _REPORTING[kind]
        content = {
            "AccountID": self.id,
            "Name": self.name,
            "Status": self.status,
            "Type": self.type,
            "TaxType": self.tax_type,
            "Class": kind,
            "EnablePaymentsToAccount": False,
            "ShowInExpenseClaims": False,
            "ReportingCode": reporting,
            "ReportingCodeName": _REPORTING_NAME[reporting],
            "HasAttachments": False,
            "UpdatedDateUTC": instant_json(self.updated_ms),
            "AddToWatchlist": False,
        }
        if self.code:
            content["Code"] = self.code
        if self.system:
            content["SystemAccount"] = self.system
        if self.description:
            content["Description"] = self.description
        if self.is_bank:
            content["BankAccountNumber"] = self.bank_account_number or ""
            content["BankAccountType"] = self.bank_account_type
            content["CurrencyCode"] = self.currency
        return encode_json(content)


class AccountBook:
    """All accounts that ever were, deleted ones too."""

    def __init__(self, ids: Ids, now_ms: int) -> None:
        self._by_id: dict[str, Account] = {}
        self._by_code: dict[str, Account] = {}
        for code, name, kind, _, system in _STARTING_CHART:
            account = Account(ids.guid(), name, code, kind, now_ms, now_ms, system=system, made_by="person")
            self.add(account)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, account: Account) -> None:
        """Take an account in; its rules were checked by whoever calls."""
        self._by_id[account.id] = account
        self.index_codes()

    def get(self, account_id: str) -> Account | None:
        """The account of this id, deleted or not."""
        return self._by_id.get(account_id.lower())

    def with_code(self, code: str) -> Account | None:
        """The account of this code that is not deleted; an active one wins over an archived one."""
        return self._by_code.get(code)

    def index_codes(self) -> None:
        """Say again which account a code means, after a code or a status changed."""
        rank = {"ACTIVE": 1, "ARCHIVED": 0}
        living = [account for account in self._by_id.values() if account.status in rank and account.code]
        self._by_code = {account.code: account for account in sorted(living, key=lambda account: rank[account.status])}
