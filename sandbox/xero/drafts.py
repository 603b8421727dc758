"""Reading one bank transaction from a request: what it would become, and why not."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.instants import date_of
from sandbox.xero.accounts import Account
from sandbox.xero.errors import Unreadable
from sandbox.xero.ledger import BankTransaction
from sandbox.xero.lines import DraftLine, read_lines
from sandbox.xero.notation import read_number, read_object, read_text
from sandbox.xero.tenant import Tenant

_NET_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_ZONES = {
    "ROMANCESTANDARDTIME": "Europe/Paris",
    "GMTSTANDARDTIME": "Europe/London",
    "WEUROPESTANDARDTIME": "Europe/Berlin",
    "NEWZEALANDSTANDARDTIME": "Pacific/Auckland",
    "AUSEASTERNSTANDARDTIME": "Australia/Sydney",
}
_CENT = Decimal("0.01")
REFERENCE_MAX = 255
CONTACT_NAME_MAX = 255
_CONTACT_NEEDED = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)
_CONTACT_ARCHIVED = (
    "The contact with the specified contact details has been archived. The contact must be un-archived before "
    "creating new invoices or credit notes."
)


@dataclass(slots=True)
class Draft:
    """A bank transaction that is wanted; `problems` says why Xero refuses it."""

    type: str
    date: date
    reference: str | None
    url: str | None
    line_amount_types: str
    is_reconciled: bool
    account: Account | None = None
    contact_id: str | None = None
    contact_name: str = ""
    lines: list[DraftLine] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def cents(self) -> int:
        """The total."""
        return sum(line.cents for line in self.lines)


def read_draft(
    tenant: Tenant, element: dict[str, Any], decimals: int, now_ms: int, existing: BankTransaction | None = None
) -> Draft:
    """What this element asks for; fields it leaves out keep those of `existing`. Raises Unreadable."""
    draft = Draft(
        type=read_text(element, "Type") or (existing.type if existing else ""),
        date=read_date(element) or (existing.date if existing else today(tenant, now_ms)),
        reference=_given(element, "Reference", existing.reference if existing else None),
        url=_given(element, "Url", existing.url if existing else None),
        line_amount_types=read_text(element, "LineAmountTypes")
        or (existing.line_amount_types if existing else "Inclusive"),
        is_reconciled=element.get("IsReconciled") is True,
    )
    _check_head(draft)
    _find_account(draft, tenant, element, existing)
    _find_contact(draft, tenant, element, existing)
    if existing is not None and element.get("LineItems") is None:
        draft.lines = [DraftLine.of(line) for line in existing.lines]
    else:
        draft.lines = read_lines(tenant, element.get("LineItems"), decimals, draft.problems)
    _check_totals(draft, element)
    _check_lock_dates(draft, tenant)
    return draft


def read_date(element: dict[str, Any]) -> date | None:
    """The Date as `2026-11-20`, with a time after it or not, or as Xero writes it. Raises Unreadable."""
    text = read_text(element, "Date")
    if not text:
        return None
    found = _NET_DATE.fullmatch(text)
    try:
        return date_of(int(found[1])) if found else datetime.fromisoformat(text).date()
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"Could not convert string to DateTime: {text}. Path 'Date'") from error


def today(tenant: Tenant, now_ms: int) -> date:
    """The calendar date in the organisation's time zone."""
    zone = _ZONES.get(tenant.timezone)
    return datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone) if zone else UTC).date()


def _given(element: dict[str, Any], name: str, otherwise: str | None) -> str | None:
    text = read_text(element, name)
    return otherwise if text is None else text or None


def _check_head(draft: Draft) -> None:
    if draft.type not in ("RECEIVE", "SPEND"):
        draft.problems.append("Type must be SPEND or RECEIVE")
    if draft.line_amount_types not in ("Exclusive", "Inclusive", "NoTax"):
        draft.problems.append("LineAmountTypes is not valid")
    if draft.reference is not None and len(draft.reference) > REFERENCE_MAX:
        draft.problems.append("The Reference field cannot be longer than 255 characters")
    if draft.url is None:
        return
    if "xero" in draft.url.lower():
        draft.problems.append("The Url field must not contain the word xero")
    if not draft.url.startswith(("https://", "http://")) or " " in draft.url:
        draft.problems.append("Url must be a valid absolute URL")


def _find_account(draft: Draft, tenant: Tenant, element: dict[str, Any], existing: BankTransaction | None) -> None:
    given = read_object(element, "BankAccount")
    account_id, code = read_text(given, "AccountID"), read_text(given, "Code")
    if not account_id and not code and existing is not None:
        draft.account = existing.account
        return
    account = tenant.accounts.get(account_id) if account_id else tenant.accounts.with_code(code or "")
    currency = read_text(element, "CurrencyCode")
    if account is None or account.status == "DELETED" or not account.is_bank:
        draft.problems.append("Account must be valid")
    elif account.status != "ACTIVE":
        draft.problems.append("The bank account has been archived")
    elif currency and currency not in tenant.currencies:
        draft.problems.append(f"Organisation is not subscribed to currency {currency}")
    elif currency and currency != account.currency:
        draft.problems.append("The currency of a bank transaction must be that of its bank account")
    else:
        draft.account = account


def _find_contact(draft: Draft, tenant: Tenant, element: dict[str, Any], existing: BankTransaction | None) -> None:
    given = read_object(element, "Contact")
    contact_id, name = read_text(given, "ContactID"), read_text(given, "Name") or ""
    contact = None
    if contact_id:
        contact = tenant.contacts.get(contact_id)
        if contact is None:
            draft.problems.append("The contact with the specified ContactID could not be found")
    elif name:
        contact = tenant.contacts.named(name)
        if contact is None:
            _check_new_name(draft, name)
    elif existing is not None:
        contact = existing.contact
    else:
        draft.problems.append(_CONTACT_NEEDED)
    if contact is not None and contact.status == "ARCHIVED":
        draft.problems.append(_CONTACT_ARCHIVED)
    draft.contact_id = contact.id if contact else None
    draft.contact_name = name


def _check_new_name(draft: Draft, name: str) -> None:
    if len(name) > CONTACT_NAME_MAX:
        draft.problems.append("The Contact Name cannot be longer than 255 characters")
    if "<" in name or ">" in name:
        draft.problems.append("The Contact Name cannot contain angle brackets")
    if name != " ".join(name.split()):
        draft.problems.append("The Contact Name cannot have leading, trailing or repeated spaces")


def _check_totals(draft: Draft, element: dict[str, Any]) -> None:
    if draft.lines and draft.cents <= 0:
        draft.problems.append("The total value of the bank transaction must be positive")
    for name in ("SubTotal", "Total"):
        sent = read_number(element, name)
        if sent is not None and sent.quantize(_CENT, ROUND_HALF_UP) != Decimal(draft.cents) / 100:
            draft.problems.append(f"The document {name} does not equal the total of the lines")


def _check_lock_dates(draft: Draft, tenant: Tenant) -> None:
    for lock, name in ((tenant.period_lock_date, "period lock"), (tenant.end_of_year_lock_date, "end of year lock")):
        if lock is not None and draft.date <= lock:
            text = f"The document date cannot be before the {name} date, currently set at {lock.day} {lock:%B %Y}"
            draft.problems.append(text)
