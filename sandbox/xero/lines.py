"""Reading a bank transaction's line items."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.xero.accounts import Account
from sandbox.xero.errors import Unreadable
from sandbox.xero.ledger import Line
from sandbox.xero.notation import read_number, read_text
from sandbox.xero.tenant import Tenant

_CENT = Decimal("0.01")
_ONE = Decimal("1")
_TAX_TYPES = (None, "", "NONE", "INPUT", "OUTPUT", "GSTONIMPORTS")
# Far above any real amount, far below where arithmetic on 28 digits would round.
_LARGEST = Decimal("1e15")


@dataclass(slots=True)
class DraftLine:
    """A line item that is wanted; amounts as they will be stored."""

    id: str | None
    description: str
    quantity: Decimal
    unit_amount: Decimal
    cents: int
    account: Account | None

    @classmethod
    def of(cls, line: Line) -> "DraftLine":
        """The draft that would leave a line as it is."""
        return cls(line.id, line.description, line.quantity, line.unit_amount, line.cents, line.account)


def read_lines(tenant: Tenant, content: Any, decimals: int, problems: list[str]) -> list[DraftLine]:
    """The lines of a request, with what is wrong added to `problems`. Raises Unreadable."""
    if content is not None and not (isinstance(content, list) and all(isinstance(line, dict) for line in content)):
        raise Unreadable("Expected a list of objects. Path 'LineItems'")
    if not content:
        problems.append("One or more line items must be specified")
        return []
    return [_read_line(tenant, line, decimals, problems) for line in content]


def _read_line(tenant: Tenant, element: dict[str, Any], decimals: int, problems: list[str]) -> DraftLine:
    quantity = read_number(element, "Quantity")
    quantity = _ONE if quantity is None else quantity
    unit_amount = read_number(element, "UnitAmount")
    line_amount = read_number(element, "LineAmount")
    if any(abs(number) > _LARGEST for number in (quantity, unit_amount, line_amount) if number is not None):
        raise Unreadable("Value was either too large or too small for a Decimal. Path 'LineItems'")
    if quantity <= 0:
        problems.append("Quantity must be greater than 0")
        quantity = _ONE
    if unit_amount is None:
        unit_amount = (line_amount or Decimal(0)) / quantity
    unit_amount = unit_amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    if not unit_amount:
        problems.append("UnitAmount must not be 0")
    total = (unit_amount * quantity).quantize(_CENT, ROUND_HALF_UP)
    if line_amount is not None and line_amount != total:
        problems.append(f"The line total {line_amount} does not match the expected line total {total}")
    description = read_text(element, "Description") or ""
    if not description:
        problems.append("Description must be at least 1 character long")
    account = _line_account(tenant, read_text(element, "AccountCode"), problems)
    if read_text(element, "TaxType") not in _TAX_TYPES:
        tax, code = element["TaxType"], element.get("AccountCode")
        problems.append(f"The TaxType code '{tax}' cannot be used with account code '{code}'.")
    line_id = read_text(element, "LineItemID")
    return DraftLine(line_id, description, quantity, unit_amount, int(total * 100), account)


def _line_account(tenant: Tenant, code: str | None, problems: list[str]) -> Account | None:
    account = tenant.accounts.with_code(code or "")
    if account is not None and account.status == "ACTIVE" and not account.is_bank:
        return account
    gone = account is not None and account.status == "ARCHIVED"
    if gone or any(other.code == code and other.status == "DELETED" for other in tenant.accounts):
        text = "has been archived, or has been deleted. Each line item must reference a valid account."
        problems.append(f"Account code '{code}' {text}")
    else:
        problems.append(f"Account code '{code or ''}' is not a valid code for this document.")
    return None
