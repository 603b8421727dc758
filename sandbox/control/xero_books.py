"""What a person does in a Xero organisation's books, and the truth about them."""

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.control.answers import Wrong, created, read, unknown
from sandbox.control.xero import find_tenant
from sandbox.instants import instant_text
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World
from sandbox.xero import bookkeeping
from sandbox.xero.accounts import CLASS_OF_TYPE, Account
from sandbox.xero.drafts import Draft, today
from sandbox.xero.ledger import BankTransaction
from sandbox.xero.lines import DraftLine
from sandbox.xero.tenant import Tenant


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    account_id: str
    amount_cents: int
    type: str = "SPEND"
    date: dt.date | None = None
    reference: str | None = None
    url: str | None = None
    contact: str = "Someone"


class _Edit(msgspec.Struct, forbid_unknown_fields=True):
    reference: str | msgspec.UnsetType | None = msgspec.UNSET
    url: str | msgspec.UnsetType | None = msgspec.UNSET
    date: dt.date | None = None
    contact: str | None = None


class _Account(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    code: str = ""
    type: str = "BANK"
    bank_account_number: str | None = None
    currency: str | None = None


class _Names(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    code: str | None = None


def ledger(world: World, _call: Call, tenant_id: str) -> Answer:
    """Every account and every bank transaction that ever was."""
    tenant = find_tenant(world, tenant_id)
    return json_answer(
        {
            "tenant_id": tenant.id,
            "accounts": [_account_content(account) for account in tenant.accounts],
            "bank_transactions": [_row_content(row) for row in tenant.ledger],
        }
    )


def enter_transaction(world: World, call: Call, tenant_id: str) -> Answer:
    """A bank transaction entered by hand."""
    tenant, entry, now_ms = find_tenant(world, tenant_id), read(call, _Entry), world.clock.now_ms()
    draft = Draft(
        type=entry.type,
        date=entry.date or today(tenant, now_ms),
        reference=entry.reference,
        url=entry.url,
        line_amount_types="NoTax",
        is_reconciled=False,
        account=_find_account(tenant, entry.account_id),
        contact_name=entry.contact,
    )
    amount = Decimal(entry.amount_cents) / 100
    expenses = tenant.accounts.with_code("429")
    draft.lines = [DraftLine(None, "Entered by hand", Decimal(1), amount, entry.amount_cents, expenses)]
    return created(_row_content(bookkeeping.book(tenant, draft, now_ms, world.ids, None, "person")))


def delete_transaction(world: World, _call: Call, tenant_id: str, row_id: str) -> Answer:
    """Status DELETED."""
    tenant, row = _find_row(world, tenant_id, row_id)
    bookkeeping.delete(tenant, row, world.clock.now_ms())
    return json_answer(_row_content(row))


def reconcile(world: World, _call: Call, tenant_id: str, row_id: str) -> Answer:
    """Reconciled with a bank statement: the API can no longer touch it."""
    tenant, row = _find_row(world, tenant_id, row_id)
    row.is_reconciled = True
    tenant.ledger.touch(row, world.clock.now_ms())
    return json_answer(_row_content(row))


def edit_transaction(world: World, call: Call, tenant_id: str, row_id: str) -> Answer:
    """Another reference, link, date or contact."""
    tenant, row = _find_row(world, tenant_id, row_id)
    edit, now_ms = read(call, _Edit), world.clock.now_ms()
    reference = row.reference if edit.reference is msgspec.UNSET else edit.reference
    url = row.url if edit.url is msgspec.UNSET else edit.url
    row.date = edit.date or row.date
    if edit.contact:
        row.contact = bookkeeping.contact_of(tenant, None, edit.contact, now_ms, world.ids)
    tenant.ledger.retext(row, reference, url)
    tenant.ledger.touch(row, now_ms)
    return json_answer(_row_content(row))


def make_account(world: World, call: Call, tenant_id: str) -> Answer:
    """An account made by hand."""
    tenant, wanted, now_ms = find_tenant(world, tenant_id), read(call, _Account), world.clock.now_ms()
    if wanted.type not in CLASS_OF_TYPE:
        raise Wrong(f"type must be one of {', '.join(CLASS_OF_TYPE)}.")
    account = Account(world.ids.guid(), wanted.name, wanted.code, wanted.type, now_ms, now_ms, made_by="person")
    if account.is_bank:
        account.bank_account_number = wanted.bank_account_number
        account.currency = wanted.currency or tenant.base_currency
    tenant.accounts.add(account)
    return created(_account_content(account))


def archive_account(world: World, _call: Call, tenant_id: str, account_id: str) -> Answer:
    """Status ARCHIVED."""
    return _with_status(world, tenant_id, account_id, "ARCHIVED")


def unarchive_account(world: World, _call: Call, tenant_id: str, account_id: str) -> Answer:
    """Status ACTIVE."""
    return _with_status(world, tenant_id, account_id, "ACTIVE")


def delete_account(world: World, _call: Call, tenant_id: str, account_id: str) -> Answer:
    """Gone, even when used; its transactions stay readable."""
    return _with_status(world, tenant_id, account_id, "DELETED")


def rename_account(world: World, call: Call, tenant_id: str, account_id: str) -> Answer:
    """Another name or code."""
    tenant, names = find_tenant(world, tenant_id), read(call, _Names)
    account = _find_account(tenant, account_id)
    account.name = names.name or account.name
    account.code = account.code if names.code is None else names.code
    return _changed(world, tenant, account)


def archive_contact(world: World, _call: Call, tenant_id: str, contact_id: str) -> Answer:
    """Status ARCHIVED: no new transaction may name it."""
    contact = find_tenant(world, tenant_id).contacts.get(contact_id)
    if contact is None:
        raise unknown("contact", contact_id)
    contact.status, contact.updated_ms = "ARCHIVED", world.clock.now_ms()
    return json_answer({"id": contact.id, "name": contact.name, "status": contact.status})


def _with_status(world: World, tenant_id: str, account_id: str, status: str) -> Answer:
    tenant = find_tenant(world, tenant_id)
    account = _find_account(tenant, account_id)
    account.status = status
    return _changed(world, tenant, account)


def _changed(world: World, tenant: Tenant, account: Account) -> Answer:
    account.updated_ms = world.clock.now_ms()
    tenant.accounts.index_codes()
    for row in tenant.ledger.timeline(account.id).slice(0):
        row.forget_json()
    return json_answer(_account_content(account))


def _find_account(tenant: Tenant, account_id: str) -> Account:
    account = tenant.accounts.get(account_id)
    if account is None:
        raise unknown("account", account_id)
    return account


def _find_row(world: World, tenant_id: str, row_id: str) -> tuple[Tenant, BankTransaction]:
    tenant = find_tenant(world, tenant_id)
    row = tenant.ledger.get(row_id)
    if row is None:
        raise unknown("bank transaction", row_id)
    return tenant, row


def _account_content(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "code": account.code,
        "type": account.type,
        "status": account.status,
        "currency": account.currency,
        "bank_account_number": account.bank_account_number,
        "made_by": account.made_by,
        "key": account.key,
        "created_at": instant_text(account.created_ms),
        "updated_at": instant_text(account.updated_ms),
        "deleted": account.status == "DELETED",
    }


def _row_content(row: BankTransaction) -> dict[str, Any]:
    codes = [line.account.code for line in row.lines if line.account is not None]
    return {
        "id": row.id,
        "type": row.type,
        "status": row.status,
        "account_id": row.account.id,
        "date": row.date,
        "cents": row.cents,
        "currency": row.account.currency,
        "contact": row.contact.name,
        "reference": row.reference,
        "url": row.url,
        "is_reconciled": row.is_reconciled,
        "created_at": instant_text(row.created_ms),
        "updated_at": instant_text(row.updated_ms),
        "key": row.key,
        "line_account_code": codes[0] if codes else None,
        "line_description": row.lines[0].description if row.lines else None,
        "made_by": row.made_by,
    }
