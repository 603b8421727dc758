"""/Accounts: list, one, create, update, archive, delete."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.wire import Answer
from sandbox.xero.account_rules import creation_problem, update_problem
from sandbox.xero.accounts import Account
from sandbox.xero.errors import Missing, refused_element
from sandbox.xero.notation import ZERO_GUID, read_elements, read_text
from sandbox.xero.where import parse_where, sort_rows
from sandbox.xero_api.visit import Visit

_FIELDS: Mapping[str, Callable[[Account], Any]] = {
    "accountid": lambda account: account.id,
    "name": lambda account: account.name,
    "code": lambda account: account.code or None,
    "type": lambda account: account.type,
    "status": lambda account: account.status,
    "currencycode": lambda account: account.currency,
    "bankaccountnumber": lambda account: account.bank_account_number,
    "bankaccounttype": lambda account: account.bank_account_type if account.is_bank else None,
    "systemaccount": lambda account: account.system or None,
    "updateddateutc": lambda account: account.updated_ms,
}


def list_accounts(visit: Visit) -> Answer:
    """GET /Accounts: never paged, archived ones included unless filtered."""
    call = visit.call
    conditions = parse_where(call.parameter("where"), _FIELDS)
    since_ms, hidden_ms = visit.modified_since_ms(), visit.invisible_after_ms
    rows = [
        account
        for account in visit.tenant.accounts
        if _is_shown(visit, account)
        and (since_ms is None or account.updated_ms >= since_ms)
        and (hidden_ms is None or account.created_ms <= hidden_ms)
        and all(condition.holds(account) for condition in conditions)
    ]
    rows = sort_rows(rows, call.parameter("order"), _FIELDS)
    return visit.collection("Accounts", [account.json() for account in rows])


def show(visit: Visit, account_id: str) -> Answer:
    """GET /Accounts/{id}."""
    return visit.collection("Accounts", [_find(visit, account_id).json()])


def create(visit: Visit) -> Answer:
    """PUT /Accounts: exactly one account a request."""
    element = _one_element(visit)
    problem = creation_problem(visit.tenant, visit.world.settings, element)
    if problem is not None:
        raise refused_element({**element, "AccountID": ZERO_GUID}, problem)
    account = Account(
        id=visit.guid(),
        name=(read_text(element, "Name") or "").strip(),
        code=(read_text(element, "Code") or "").strip(),
        type=read_text(element, "Type") or "",
        created_ms=visit.now_ms,
        updated_ms=visit.now_ms,
        bank_account_number=read_text(element, "BankAccountNumber"),
        bank_account_type=read_text(element, "BankAccountType") or "BANK",
        description=read_text(element, "Description"),
        key=visit.call.key or None,
    )
    if account.is_bank:
        account.currency = (read_text(element, "CurrencyCode") or visit.tenant.base_currency).upper()
    visit.tenant.accounts.add(account)
    return visit.collection("Accounts", [account.json()])


def update(visit: Visit, account_id: str) -> Answer:
    """POST /Accounts/{id}: details, or the status alone."""
    account = _find(visit, account_id)
    element = _one_element(visit)
    problem = update_problem(visit.tenant, visit.world.settings, account, element)
    if problem is not None:
        raise refused_element({**element, "AccountID": account.id}, problem)
    account.status = read_text(element, "Status") or account.status
    account.name = read_text(element, "Name") or account.name
    account.code = read_text(element, "Code") or account.code
    account.description = read_text(element, "Description") or account.description
    account.updated_ms = visit.now_ms
    visit.tenant.accounts.index_codes()
    return visit.collection("Accounts", [account.json()])


def delete(visit: Visit, account_id: str) -> Answer:
    """DELETE /Accounts/{id}: neither system accounts nor accounts used on transactions."""
    account = _find(visit, account_id)
    if account.system:
        raise refused_element({"AccountID": account.id}, "Cannot delete System accounts")
    if account.used:
        raise refused_element({"AccountID": account.id}, "Cannot delete an account that is used on transactions")
    account.status = "DELETED"
    account.updated_ms = visit.now_ms
    visit.tenant.accounts.index_codes()
    return visit.collection("Accounts", [account.json()])


def _is_shown(visit: Visit, account: Account) -> bool:
    return account.status != "DELETED" or visit.world.settings.deleted_account == "listed"


def _find(visit: Visit, account_id: str) -> Account:
    account = visit.tenant.accounts.get(account_id)
    if account is None or not _is_shown(visit, account):
        raise Missing
    return account


def _one_element(visit: Visit) -> dict[str, Any]:
    elements = read_elements(visit.call.body, "Accounts")
    if len(elements) != 1:
        raise refused_element({}, "Only one account can be sent in a request")
    return elements[0]
