"""One Qonto transaction, named as Qonto's API names its fields."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.instants import instant_text
from sandbox.qonto.notation import amount_json
from sandbox.wire import encode_json

SUBJECT_TYPES = {
    "card": "Card",
    "transfer": "Transfer",
    "income": "Income",
    "direct_debit": "DirectDebit",
    "direct_debit_collection": "DirectDebitCollection",
    "direct_debit_hold": "DirectDebitHold",
    "qonto_fee": "BillingTransfer",
    "cheque": "Check",
    "swift_income": "SwiftIncome",
    "account_remuneration": "AccountRemuneration",
    "investment": "Investment",
}
_COUNTERPARTY_TYPES = ("transfer", "income", "swift_income", "direct_debit", "direct_debit_collection")


@dataclass(slots=True, eq=False)
class Transaction:
    """A row of one account; times are milliseconds, amounts positive cents with a `side`."""

    id: str
    sequence: int
    slug: str
    account_id: str
    side: str
    amount_cents: int
    currency: str
    status: str
    operation_type: str
    label: str
    counterparty: str | None
    emitted_ms: int
    created_ms: int
    updated_ms: int
    seen_ms: int
    settled_ms: int | None = None
    settled_balance_cents: int | None = None
    local_amount_cents: int | None = None
    local_currency: str | None = None
    reference: str | None = None
    note: str | None = None
    category: str = "other_expense"
    card_last_digits: str | None = None
    internal: bool = False
    attachment_ids: list[str] = field(default_factory=list)
    label_ids: list[str] = field(default_factory=list)
    _json: bytes = b""

    @property
    def signed_cents(self) -> int:
        """What the row does to its account's balance."""
        return self.amount_cents if self.side == "credit" else -self.amount_cents

    def time(self, order: str) -> int:
        """One of its four times; a row not settled yet counts as settled at 0."""
        match order:
            case "updated_at":
                return self.updated_ms
            case "settled_at":
                return self.settled_ms or 0
            case "emitted_at":
                return self.emitted_ms
            case _:
                return self.created_ms

    def json(self) -> bytes:
        """The row as Qonto shows it."""
        if not self._json:
            self._json = encode_json(self._content())
        return self._json

    def forget_json(self) -> None:
        """Write the row anew when it is next shown."""
        self._json = b""

    def _content(self) -> dict[str, Any]:
        local_cents = self.amount_cents if self.local_amount_cents is None else self.local_amount_cents
        balance_cents = self.settled_balance_cents
        subject = "WalletToWallet" if self.internal else SUBJECT_TYPES.get(self.operation_type, "Other")
        content: dict[str, Any] = {
            "id": self.id,
            "transaction_id": self.slug,
            "bank_account_id": self.account_id,
            "amount": amount_json(self.amount_cents),
            "amount_cents": self.amount_cents,
            "currency": self.currency,
            "local_amount": amount_json(local_cents),
            "local_amount_cents": local_cents,
            "local_currency": self.local_currency or self.currency,
            "settled_balance": None if balance_cents is None else amount_json(balance_cents),
            "settled_balance_cents": balance_cents,
            "side": self.side,
            "operation_type": self.operation_type,
            "subject_type": subject,
            "status": self.status,
            "label": self.label,
            "clean_counterparty_name": self.counterparty,
            "emitted_at": instant_text(self.emitted_ms),
            "settled_at": None if self.settled_ms is None else instant_text(self.settled_ms),
            "created_at": instant_text(self.created_ms),
            "updated_at": instant_text(self.updated_ms),
            "note": self.note,
            "reference": self.reference,
            "vat_amount": None,
            "vat_amount_cents": None,
            "vat_rate": -1,
            "initiator_id": None,
            "label_ids": self.label_ids,
            "attachment_ids": self.attachment_ids,
            "attachment_lost": False,
            "attachment_required": True,
            "card_last_digits": self.card_last_digits,
            "category": self.category,
            "cashflow_category": None,
            "cashflow_subcategory": None,
            "is_external_transaction": False,
            "logo": None,
        }
        if self.operation_type in _COUNTERPARTY_TYPES:
            content[self.operation_type] = {
                "counterparty_account_number": "FR7600000000000000000000000",
                "counterparty_account_number_format": "IBAN",
                "counterparty_bank_identifier": "QNTOFRP1XXX",  # Qonto's BIC; XXX is its head office
                "counterparty_bank_identifier_format": "SWIFT_BIC",
            }
        return content
