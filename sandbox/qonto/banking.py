"""What happens to rows: they appear, change, settle, and the balance follows."""

from typing import Literal

import msgspec

from sandbox.qonto.account import BankAccount
from sandbox.qonto.bank import Bank
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.transaction import Transaction

_TIMES = ("emitted_at", "settled_at", "created_at", "updated_at")


class RowSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A row as a test tells it."""

    amount_cents: int
    side: Literal["debit", "credit"] = "debit"
    account_id: str | None = None
    status: Literal["completed", "pending", "declined"] = "completed"
    operation_type: str = "transfer"
    label: str = "Somebody"
    clean_counterparty_name: str | msgspec.UnsetType | None = msgspec.UNSET
    reference: str | None = None
    note: str | None = None
    local_amount_cents: int | None = None
    local_currency: str | None = None
    card_last_digits: str | None = None
    emitted_at: str | None = None
    settled_at: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    id: str | None = None

    def times(self) -> dict[str, str]:
        """The times that are given, as texts."""
        return {name: text for name in _TIMES if (text := getattr(self, name)) is not None}


class RowEdit(msgspec.Struct, forbid_unknown_fields=True):
    """Changes to a row."""

    note: str | msgspec.UnsetType | None = msgspec.UNSET
    label: str | msgspec.UnsetType = msgspec.UNSET
    clean_counterparty_name: str | msgspec.UnsetType | None = msgspec.UNSET
    reference: str | msgspec.UnsetType | None = msgspec.UNSET
    category: str | msgspec.UnsetType = msgspec.UNSET
    attachment_ids: list[str] | msgspec.UnsetType = msgspec.UNSET
    label_ids: list[str] | msgspec.UnsetType = msgspec.UNSET
    amount_cents: int | msgspec.UnsetType = msgspec.UNSET


_FIELD_OF_EDIT = {"clean_counterparty_name": "counterparty"}


def add_row(
    bank: Bank, organisation: Organisation, account: BankAccount, spec: RowSpec, times: dict[str, int], now_ms: int
) -> Transaction:
    """A row appears; a completed one moves the balance."""
    settled_ms = times.get("settled_at", now_ms) if spec.status == "completed" else None
    emitted_ms = times.get("emitted_at", settled_ms if settled_ms is not None else now_ms)
    name = spec.clean_counterparty_name
    row = Transaction(
        id=spec.id or bank.ids.guid(),
        sequence=bank.next_sequence(),
        slug=f"{account.slug}-transaction-{len(account.transactions) + 1}",
        account_id=account.id,
        side=spec.side,
        amount_cents=spec.amount_cents,
        currency=account.currency,
        status=spec.status,
        operation_type=spec.operation_type,
        label=spec.label,
        counterparty=spec.label if isinstance(name, msgspec.UnsetType) else name,
        emitted_ms=emitted_ms,
        created_ms=times.get("created_at", now_ms),
        updated_ms=times.get("updated_at", now_ms),
        seen_ms=now_ms,
        settled_ms=settled_ms,
        local_amount_cents=spec.local_amount_cents,
        local_currency=spec.local_currency,
        reference=spec.reference,
        note=spec.note,
        card_last_digits=spec.card_last_digits,
    )
    if settled_ms is not None:
        move_balance(account, row)
    organisation.add_rows(account, [row])
    return row


def move_balance(account: BankAccount, row: Transaction) -> None:
    """The row is booked: the balance after it is remembered."""
    account.balance_cents += row.signed_cents
    row.settled_balance_cents = account.balance_cents


def edit(account: BankAccount, row: Transaction, changes: RowEdit, now_ms: int) -> None:
    """Change what is given; any change moves `updated_at`."""
    account.take_out(row)
    for name in changes.__struct_fields__:
        value = getattr(changes, name)
        if value is not msgspec.UNSET:
            setattr(row, _FIELD_OF_EDIT.get(name, name), value)
    row.updated_ms = now_ms
    account.add([row])


def settle(account: BankAccount, row: Transaction, settled_ms: int, amount_cents: int | None, now_ms: int) -> None:
    """A pending row is committed to the account, possibly at another amount."""
    account.take_out(row)
    row.status, row.settled_ms, row.updated_ms = "completed", settled_ms, now_ms
    row.amount_cents = row.amount_cents if amount_cents is None else amount_cents
    move_balance(account, row)
    account.add([row])


def decline(account: BankAccount, row: Transaction, now_ms: int) -> None:
    """A pending row will never settle."""
    account.take_out(row)
    row.status, row.updated_ms = "declined", now_ms
    account.add([row])


def restate(account: BankAccount, row: Transaction, amount_cents: int, now_ms: int) -> None:
    """A completed row has another amount; its balance and those after it follow."""
    account.take_out(row)
    before = row.signed_cents
    row.amount_cents, row.updated_ms = amount_cents, now_ms
    _shift(account, row, row.signed_cents - before)
    row.settled_balance_cents = (row.settled_balance_cents or 0) + row.signed_cents - before
    account.add([row])


def take_back(account: BankAccount, row: Transaction, now_ms: int) -> None:
    """A completed row is reversed: the balances after it are as if it had never been."""
    account.take_out(row)
    row.status, row.updated_ms = "reversed", now_ms
    _shift(account, row, -row.signed_cents)
    account.add([row])


def _shift(account: BankAccount, changed: Transaction, cents: int) -> None:
    account.balance_cents += cents
    place = (changed.settled_ms or 0, changed.sequence)
    for row in account.transactions.values():
        if row.settled_balance_cents is not None and ((row.settled_ms or 0), row.sequence) > place:
            row.settled_balance_cents += cents
            row.forget_json()
