"""Why Xero refuses an account, in its own words where they are known."""

import re
from typing import Any

from sandbox.settings import Settings
from sandbox.xero.accounts import CLASS_OF_TYPE, Account
from sandbox.xero.notation import read_text
from sandbox.xero.tenant import Tenant

_NAME_MAX = 150
_CODE_MAX = 10
_BANK_ACCOUNT_TYPES = ("BANK", "CREDITCARD", "NONE", "")
_NUMBER_FORMS = {"AU": re.compile(r"\d{3}-?\d{3}-?\d{5,10}")}  # by country; elsewhere any number is accepted
_DETAILS = ("Name", "Code", "Type", "BankAccountNumber", "CurrencyCode", "Description", "TaxType", "BankAccountType")


def creation_problem(tenant: Tenant, settings: Settings, element: dict[str, Any]) -> str | None:
    """Why PUT /Accounts refuses this element; None means it may be created."""
    kind = read_text(element, "Type") or ""
    code = (read_text(element, "Code") or "").strip()
    if kind not in CLASS_OF_TYPE:
        return "Account Type is not valid"
    if not code and kind != "BANK":
        return "Account Code is required"
    if read_text(element, "Status") not in (None, "ACTIVE"):
        return "Accounts can only be created with an ACTIVE status"
    return _text_problem(tenant, settings, element, None) or (
        _bank_problem(tenant, element) if kind == "BANK" else _other_problem(element)
    )


def update_problem(tenant: Tenant, settings: Settings, account: Account, element: dict[str, Any]) -> str | None:
    """Why POST /Accounts/{id} refuses this element; None means the account may change so."""
    details = any(element.get(name) is not None for name in _DETAILS)
    problem = _change_problem(account, read_text(element, "Status"), details)
    if problem is not None:
        return problem
    if details or account.status == "ARCHIVED":
        given = {name: value for name, value in element.items() if value is not None}
        return _text_problem(tenant, settings, {"Name": account.name, "Code": account.code, **given}, account)
    return None


def _change_problem(account: Account, status: str | None, details: bool) -> str | None:
    if status not in (None, "ACTIVE", "ARCHIVED"):
        return "Account Status is not valid"
    if status is not None and details:
        return "Cannot update account details and STATUS on the same request"
    if status == "ARCHIVED" and account.system:
        return "Cannot archive System accounts"
    if details and account.status == "ARCHIVED":
        return "Can only update STATUS on Archived accounts"
    return "Cannot update Bank Accounts" if details and account.is_bank else None


def _text_problem(tenant: Tenant, settings: Settings, element: dict[str, Any], itself: Account | None) -> str | None:
    name = (read_text(element, "Name") or "").strip()
    code = (read_text(element, "Code") or "").strip()
    if not name:
        return "Name is required"
    if len(name) > _NAME_MAX:
        return "Account Name is too long. Maximum of 150 characters allowed"
    if len(code) > _CODE_MAX:
        return "Account Code is too long. Maximum of 10 characters allowed"
    blocking = ("ACTIVE", "ARCHIVED") if settings.archived_blocks_reuse else ("ACTIVE",)
    others = [account for account in tenant.accounts if account.status in blocking and account is not itself]
    if any(account.name.casefold() == name.casefold() for account in others):
        return "Please enter a unique Name."
    if code and any(account.code.casefold() == code.casefold() for account in others):
        return "Please enter a unique Code."
    return None


def _bank_problem(tenant: Tenant, element: dict[str, Any]) -> str | None:
    currency = (read_text(element, "CurrencyCode") or tenant.base_currency).upper()
    if read_text(element, "BankAccountType") not in (None, *_BANK_ACCOUNT_TYPES):
        return "Bank Account Type is not valid"
    number = (read_text(element, "BankAccountNumber") or "").strip()
    form = _NUMBER_FORMS.get(tenant.country_code)
    if not number or (form and not form.fullmatch(number)):
        return "Please enter a valid Bank Account Number."
    if currency not in tenant.currencies:
        return f"The current organisation is not subscribed to currency '{currency}'."
    if read_text(element, "Description"):
        return "Description is not valid on Bank Accounts"
    if read_text(element, "TaxType") not in (None, "NONE"):
        return "TaxType cannot be set on Bank Accounts"
    return None


def _other_problem(element: dict[str, Any]) -> str | None:
    for name in ("BankAccountNumber", "CurrencyCode"):
        if read_text(element, name):
            return f"{name} can only be set on Bank Accounts"
    return None
