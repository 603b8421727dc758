"""Finding the rows of GET /BankTransactions by its filters, through an index where there is one."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.instants import midnight_ms
from sandbox.xero.errors import HighVolume
from sandbox.xero.ledger import BankTransaction
from sandbox.xero.where import Condition, parse_where, sort_rows
from sandbox.xero_api.visit import Visit

_PAGE_SIZE = 100
_PAGE_SIZE_MAX = 1000
_HIGH_VOLUME = 100_000
_FIELDS: Mapping[str, Callable[[BankTransaction], Any]] = {
    "banktransactionid": lambda row: row.id,
    "type": lambda row: row.type,
    "status": lambda row: row.status,
    "date": lambda row: midnight_ms(row.date),
    "url": lambda row: row.url,
    "reference": lambda row: row.reference,
    "isreconciled": lambda row: row.is_reconciled,
    "total": lambda row: Decimal(row.cents) / 100,
    "currencycode": lambda row: row.account.currency,
    "bankaccount.accountid": lambda row: row.account.id,
    "bankaccount.code": lambda row: row.account.code or None,
    "bankaccount.name": lambda row: row.account.name,
    "contact.contactid": lambda row: row.contact.id,
    "contact.name": lambda row: row.contact.name,
    "updateddateutc": lambda row: row.updated_ms,
}
Conditions = list[Condition[BankTransaction]]
Pagination = dict[str, int] | None


def find_rows(visit: Visit) -> tuple[list[BankTransaction], Pagination]:
    """The rows asked for, and the pagination when pages were asked for. Raises Refused."""
    call = visit.call
    conditions = parse_where(call.parameter("where"), _FIELDS)
    hidden_ms, order, page = visit.invisible_after_ms, call.parameter("order"), call.parameter("page")
    rows = _candidates(visit, conditions)
    if conditions or hidden_ms is not None:
        rows = [
            row
            for row in rows
            if (hidden_ms is None or row.created_ms <= hidden_ms)
            and all(condition.holds(row) for condition in conditions)
        ]
    if order:
        rows = sort_rows(rows, order, _FIELDS)
    if page is not None:
        return _page(rows, page, call.parameter("pageSize"))
    if len(rows) > _HIGH_VOLUME:
        raise HighVolume
    return rows, None


def _candidates(visit: Visit, conditions: Conditions) -> list[BankTransaction]:
    """Rows in the default order, found through the best index; a condition it answers is taken out of the list."""
    ledger, since_ms = visit.tenant.ledger, visit.modified_since_ms()
    pinned = {condition.field: condition for condition in conditions if condition.is_equality}
    url, account = pinned.get("url"), pinned.get("bankaccount.accountid")
    references = visit.call.parameter("References")
    if references:
        found = [row for text in dict.fromkeys(references.split(",")) for row in ledger.with_reference(text)]
    elif url is not None and isinstance(url.value, str):
        found = ledger.with_url(url.value)
    else:
        timeline = ledger.timeline()
        if account is not None and isinstance(account.value, str):
            conditions.remove(account)
            timeline = ledger.timeline(account.value.lower())
        return timeline.slice(0 if since_ms is None else timeline.position(since_ms))
    found = [row for row in found if since_ms is None or row.updated_ms >= since_ms]
    return sorted(found, key=lambda row: (row.updated_ms, row.tie))


def _page(rows: list[BankTransaction], page: str, size: str | None) -> tuple[list[BankTransaction], Pagination]:
    number = max(1, int(page)) if page.isdigit() else 1
    length = min(_PAGE_SIZE_MAX, max(1, int(size))) if size and size.isdigit() else _PAGE_SIZE
    start = (number - 1) * length
    pages = -(-len(rows) // length)
    pagination = {"page": number, "pageSize": length, "pageCount": pages, "itemCount": len(rows)}
    return rows[start : start + length], pagination
