"""Writing drafts into a tenant's books, by API or by hand."""

from sandbox.ids import Ids
from sandbox.xero.contacts import Contact
from sandbox.xero.drafts import Draft
from sandbox.xero.ledger import BankTransaction, Line, tie_of
from sandbox.xero.tenant import Tenant


def contact_of(tenant: Tenant, contact_id: str | None, name: str, now_ms: int, ids: Ids) -> Contact:
    """The contact of this id, else of this name, else a new one."""
    contact = tenant.contacts.get(contact_id) if contact_id else tenant.contacts.named(name)
    if contact is None:
        contact = Contact(ids.guid(), name, now_ms)
        tenant.contacts.add(contact)
    return contact


def book(tenant: Tenant, draft: Draft, now_ms: int, ids: Ids, key: str | None, made_by: str) -> BankTransaction:
    """Create the bank transaction that a draft without problems describes."""
    if draft.account is None:
        raise ValueError("a draft without a bank account cannot be booked")
    row_id = ids.guid()
    row = BankTransaction(
        id=row_id,
        tie=tie_of(row_id),
        type=draft.type,
        account=draft.account,
        contact=contact_of(tenant, draft.contact_id, draft.contact_name, now_ms, ids),
        date=draft.date,
        lines=_lines(draft, ids),
        cents=draft.cents,
        created_ms=now_ms,
        updated_ms=now_ms,
        reference=draft.reference,
        url=draft.url,
        line_amount_types=draft.line_amount_types,
        is_reconciled=draft.is_reconciled,
        key=key,
        made_by=made_by,
    )
    tenant.ledger.add(row)
    return row


def rebook(tenant: Tenant, row: BankTransaction, draft: Draft, now_ms: int, ids: Ids) -> BankTransaction:
    """Make an existing row what a draft without problems describes; its bank account stays."""
    row.type, row.date = draft.type, draft.date
    row.contact = contact_of(tenant, draft.contact_id, draft.contact_name, now_ms, ids)
    row.lines, row.cents = _lines(draft, ids), draft.cents
    row.line_amount_types = draft.line_amount_types
    tenant.ledger.retext(row, draft.reference, draft.url)
    tenant.ledger.touch(row, now_ms)
    return row


def delete(tenant: Tenant, row: BankTransaction, now_ms: int) -> BankTransaction:
    """Status DELETED; the row stays readable."""
    row.status = "DELETED"
    tenant.ledger.touch(row, now_ms)
    return row


def _lines(draft: Draft, ids: Ids) -> list[Line]:
    return [
        Line(line.id or ids.guid(), line.description, line.quantity, line.unit_amount, line.cents, line.account)
        for line in draft.lines
    ]
