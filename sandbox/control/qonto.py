"""/control/qonto: what happens at the bank, and the truth about it."""

from typing import Any

import msgspec

from sandbox.control.answers import Wrong, created, instant, read, unknown
from sandbox.generation.rows import Period, generate_rows
from sandbox.ids import Ids
from sandbox.instants import HOUR_MS, instant_text
from sandbox.introductions import account_content
from sandbox.qonto import banking
from sandbox.qonto.account import BankAccount
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.transaction import Transaction
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


class _Transactions(msgspec.Struct, forbid_unknown_fields=True):
    transactions: list[banking.RowSpec] | None = None
    count: int = 0
    seed: int = 1
    account_id: str | None = None
    settled_within_hours: float = 24
    hostile: bool = True


class _Settlement(msgspec.Struct, forbid_unknown_fields=True):
    settled_at: str | None = None
    amount_cents: int | None = None


class _Restatement(msgspec.Struct, forbid_unknown_fields=True):
    amount_cents: int


def ledger(world: World, _call: Call, organisation_id: str) -> Answer:
    """Every account and every row."""
    organisation = find_organisation(world, organisation_id)
    return json_answer(
        {
            "organisation_id": organisation.id,
            "accounts": [account_content(account) for account in organisation.accounts.values()],
            "transactions": [row_content(row) for row in organisation.transactions()],
        }
    )


def add_transactions(world: World, call: Call, organisation_id: str) -> Answer:
    """Rows as told, or generated from a seed."""
    organisation, wanted = find_organisation(world, organisation_id), read(call, _Transactions)
    now_ms = world.clock.now_ms()
    if not organisation.accounts:
        raise Wrong("The organisation has no account.")
    if wanted.transactions is not None:
        rows = _add_told(world, organisation, wanted.transactions, now_ms)
    else:
        only = _account(organisation, wanted.account_id) if wanted.account_id else None
        ids = Ids.seeded(f"rows {wanted.seed} {organisation.id} {organisation.transaction_count}")
        period = Period(now_ms - round(wanted.settled_within_hours * HOUR_MS), now_ms)
        rows = generate_rows(
            world.bank, organisation, ids, wanted.count, period, now_ms, hostile=wanted.hostile, only=only
        )
    return created({"transactions": [row_content(row) for row in rows]})


def edit(world: World, call: Call, organisation_id: str, row_id: str) -> Answer:
    """Texts may always change; `updated_at` moves."""
    account, row = _row(find_organisation(world, organisation_id), row_id)
    changes = read(call, banking.RowEdit)
    if changes.amount_cents is not msgspec.UNSET and row.status != "pending":
        raise Wrong("Only a pending transaction's amount can change.")
    banking.edit(account, row, changes, world.clock.now_ms())
    return json_answer(row_content(row))


def settle(world: World, call: Call, organisation_id: str, row_id: str) -> Answer:
    """A pending row is completed."""
    account, row = _row(find_organisation(world, organisation_id), row_id)
    wanted, now_ms = read(call, _Settlement), world.clock.now_ms()
    if row.status != "pending":
        raise Wrong(f"The transaction is {row.status}, not pending.")
    settled_ms = instant(wanted.settled_at, "settled_at") if wanted.settled_at else now_ms
    banking.settle(account, row, settled_ms, wanted.amount_cents, now_ms)
    return json_answer(row_content(row))


def decline(world: World, _call: Call, organisation_id: str, row_id: str) -> Answer:
    """A pending row is declined."""
    account, row = _row(find_organisation(world, organisation_id), row_id)
    if row.status != "pending":
        raise Wrong(f"The transaction is {row.status}, not pending.")
    banking.decline(account, row, world.clock.now_ms())
    return json_answer(row_content(row))


def restate(world: World, call: Call, organisation_id: str, row_id: str) -> Answer:
    """A completed row gets another amount."""
    account, row = _completed(world, organisation_id, row_id)
    banking.restate(account, row, read(call, _Restatement).amount_cents, world.clock.now_ms())
    return json_answer(row_content(row))


def take_back(world: World, _call: Call, organisation_id: str, row_id: str) -> Answer:
    """A completed row is reversed, and listed as completed no more."""
    account, row = _completed(world, organisation_id, row_id)
    banking.take_back(account, row, world.clock.now_ms())
    return json_answer(row_content(row))


def _completed(world: World, organisation_id: str, row_id: str) -> tuple[BankAccount, Transaction]:
    account, row = _row(find_organisation(world, organisation_id), row_id)
    if row.status != "completed":
        raise Wrong(f"The transaction is {row.status}, not completed.")
    return account, row


def revoke(world: World, _call: Call, organisation_id: str) -> Answer:
    """The organisation's OAuth tokens die."""
    world.bank.tokens.revoke_subject(find_organisation(world, organisation_id).id)
    return json_answer({})


def find_organisation(world: World, organisation_id: str) -> Organisation:
    """The organisation of this id. Raises Wrong."""
    organisation = world.bank.organisations.get(organisation_id)
    if organisation is None:
        raise unknown("organisation", organisation_id)
    return organisation


def find_account(world: World, organisation_id: str, account_id: str) -> BankAccount:
    """The organisation's account of this id. Raises Wrong."""
    return _account(find_organisation(world, organisation_id), account_id)


def row_content(row: Transaction) -> dict[str, Any]:
    """A row as the control API shows it."""
    return {
        "id": row.id,
        "transaction_id": row.slug,
        "account_id": row.account_id,
        "status": row.status,
        "side": row.side,
        "amount_cents": row.amount_cents,
        "currency": row.currency,
        "operation_type": row.operation_type,
        "label": row.label,
        "clean_counterparty_name": row.counterparty,
        "reference": row.reference,
        "emitted_at": instant_text(row.emitted_ms),
        "settled_at": None if row.settled_ms is None else instant_text(row.settled_ms),
        "created_at": instant_text(row.created_ms),
        "updated_at": instant_text(row.updated_ms),
        "settled_balance_cents": row.settled_balance_cents,
    }


def _add_told(world: World, organisation: Organisation, specs: list[banking.RowSpec], now_ms: int) -> list[Transaction]:
    main = next((account for account in organisation.accounts.values() if account.main), None)
    first = main or next(iter(organisation.accounts.values()))
    rows = []
    for spec in specs:
        account = _account(organisation, spec.account_id) if spec.account_id else first
        times = {name: instant(text, name) for name, text in spec.times().items()}
        rows.append(banking.add_row(world.bank, organisation, account, spec, times, now_ms))
    return rows


def _account(organisation: Organisation, account_id: str) -> BankAccount:
    account = organisation.accounts.get(account_id)
    if account is None:
        raise unknown("account", account_id)
    return account


def _row(organisation: Organisation, row_id: str) -> tuple[BankAccount, Transaction]:
    account = organisation.account_of(row_id)
    if account is None:
        raise unknown("transaction", row_id)
    return account, account.transactions[row_id]
