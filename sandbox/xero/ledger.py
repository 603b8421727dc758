"""A Xero organisation's bank transactions and the indexes that keep its lists fast."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from sandbox.timeline import Timeline
from sandbox.wire import encode_json
from sandbox.xero.accounts import Account
from sandbox.xero.contacts import Contact
from sandbox.xero.notation import date_json, instant_json, money_json


@dataclass(slots=True)
class Line:
    """One line item, coded to an account (None for a deleted one's hand-made row)."""

    id: str
    description: str
    quantity: Decimal
    unit_amount: Decimal
    cents: int
    account: Account | None


@dataclass(slots=True, eq=False)
class BankTransaction:
    """Money in or out of a bank account."""

    id: str
    tie: int
    type: str
    account: Account
    contact: Contact
    date: date
    lines: list[Line]
    cents: int
    created_ms: int
    updated_ms: int
    reference: str | None = None
    url: str | None = None
    line_amount_types: str = "NoTax"
    status: str = "AUTHORISED"
    is_reconciled: bool = False
    key: str | None = None
    made_by: str = "api"
    _json: dict[bool, bytes] = field(default_factory=dict)

    def json(self, with_lines: bool) -> bytes:
        """The row as Xero shows it; lists without `page` leave the line items out."""
        text = self._json.get(with_lines)
        if text is None:
            text = self._json[with_lines] = encode_json(self._content(with_lines))
        return text

    def forget_json(self) -> None:
        """Write the row anew when it is next shown."""
        self._json.clear()

    def _content(self, with_lines: bool) -> dict[str, object]:
        content: dict[str, object] = {
            "BankTransactionID": self.id,
            "BankAccount": {"AccountID": self.account.id, "Code": self.account.code, "Name": self.account.name},
            "Type": self.type,
            "IsReconciled": self.is_reconciled,
            "HasAttachments": False,
            "CurrencyRate": Decimal("1.000000"),
            "Contact": {
                "ContactID": self.contact.id,
                "ContactStatus": self.contact.status,
                "Name": self.contact.name,
                "ContactGroups": [],
                "ContactPersons": [],
                "HasValidationErrors": False,
            },
            "DateString": f"{self.date.isoformat()}T00:00:00",
            "Date": date_json(self.date),
            "Status": self.status,
            "LineAmountTypes": self.line_amount_types,
            "LineItems": [_line_content(line) for line in self.lines] if with_lines else [],
            "SubTotal": money_json(self.cents),
            "TotalTax": money_json(0),
            "Total": money_json(self.cents),
            "UpdatedDateUTC": instant_json(self.updated_ms),
            "CurrencyCode": self.account.currency,
        }
        if self.reference is not None:
            content["Reference"] = self.reference
        if self.url is not None:
            content["Url"] = self.url
        return content


def _line_content(line: Line) -> dict[str, object]:
    content: dict[str, object] = {
        "LineItemID": line.id,
        "Description": line.description,
        "UnitAmount": line.unit_amount,
        "TaxType": "NONE",
        "TaxAmount": money_json(0),
        "LineAmount": money_json(line.cents),
        "Tracking": [],
        "Quantity": line.quantity,
        "ValidationErrors": [],
    }
    if line.account is not None:
        content["AccountCode"] = line.account.code
        content["AccountID"] = line.account.id
    return content


class Ledger:
    """Every bank transaction that ever was, in order of update, and by account, Url and Reference."""

    def __init__(self) -> None:
        self._by_id: dict[str, BankTransaction] = {}
        self._by_url: dict[str | None, list[BankTransaction]] = {}
        self._by_reference: dict[str | None, list[BankTransaction]] = {}
        self._all: Timeline[BankTransaction] = Timeline()
        self._by_account: dict[str, Timeline[BankTransaction]] = {}

    def __iter__(self) -> Iterator[BankTransaction]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, transaction_id: str) -> BankTransaction | None:
        """The row of this id, deleted or not."""
        return self._by_id.get(transaction_id.lower())

    def with_url(self, url: str) -> list[BankTransaction]:
        """The rows of this Url, oldest first."""
        return self._by_url.get(url, [])

    def with_reference(self, reference: str) -> list[BankTransaction]:
        """The rows of this Reference, oldest first."""
        return self._by_reference.get(reference, [])

    def timeline(self, account_id: str | None = None) -> Timeline[BankTransaction]:
        """All rows, or one account's, by time of update."""
        if account_id is None:
            return self._all
        return self._by_account.get(account_id) or Timeline()

    def add(self, row: BankTransaction) -> None:
        """Take a row in."""
        self._by_id[row.id] = row
        self._by_url.setdefault(row.url, []).append(row)
        self._by_reference.setdefault(row.reference, []).append(row)
        self._place(row)
        row.account.used += 1
        for line in row.lines:
            if line.account is not None:
                line.account.used += 1

    def retext(self, row: BankTransaction, reference: str | None, url: str | None) -> None:
        """Give a row another Reference and Url."""
        self._by_reference[row.reference].remove(row)
        self._by_url[row.url].remove(row)
        row.reference, row.url = reference, url
        self._by_reference.setdefault(reference, []).append(row)
        self._by_url.setdefault(url, []).append(row)

    def touch(self, row: BankTransaction, now_ms: int) -> None:
        """A row changed: its UpdatedDateUTC moves and with it its place in lists."""
        self._all.remove(row.updated_ms, row.tie)
        self._by_account[row.account.id].remove(row.updated_ms, row.tie)
        row.updated_ms = now_ms
        row.forget_json()
        self._place(row)

    def _place(self, row: BankTransaction) -> None:
        self._all.add(row.updated_ms, row.tie, row)
        account = row.account.id
        if account not in self._by_account:
            self._by_account[account] = Timeline()
        self._by_account[account].add(row.updated_ms, row.tie, row)


def tie_of(transaction_id: str) -> int:
    """The tie-break of a row: its id, as Xero orders equal times."""
    return UUID(transaction_id).int
