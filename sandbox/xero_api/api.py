"""The Accounting API's addresses; paths are compared without regard to case."""

from collections.abc import Callable

from sandbox.wire import TEXT, Answer
from sandbox.xero.errors import Missing
from sandbox.xero_api import account_endpoints as accounts
from sandbox.xero_api import organisation_endpoints as organisation
from sandbox.xero_api import transaction_endpoints as transactions
from sandbox.xero_api.visit import Visit

_COLLECTIONS: dict[tuple[str, str], Callable[[Visit], Answer]] = {
    ("GET", "organisation"): organisation.show,
    ("GET", "currencies"): organisation.list_currencies,
    ("PUT", "currencies"): organisation.add_currency,
    ("GET", "contacts"): organisation.list_contacts,
    ("GET", "accounts"): accounts.list_accounts,
    ("PUT", "accounts"): accounts.create,
    ("GET", "banktransactions"): transactions.list_transactions,
    ("PUT", "banktransactions"): transactions.create_many,
    ("POST", "banktransactions"): transactions.create_or_update_many,
}
_ELEMENTS: dict[tuple[str, str], Callable[[Visit, str], Answer]] = {
    ("GET", "organisation"): organisation.actions,
    ("GET", "contacts"): organisation.show_contact,
    ("GET", "accounts"): accounts.show,
    ("POST", "accounts"): accounts.update,
    ("DELETE", "accounts"): accounts.delete,
    ("GET", "banktransactions"): transactions.show,
    ("POST", "banktransactions"): transactions.update,
}
_KNOWN = {name for _, name in _COLLECTIONS}


def endpoint(visit: Visit, path: str) -> Answer:
    """Answer a request to this path below /api.xro/2.0/. Raises Refused."""
    name, _, rest = path.rstrip("/").partition("/")
    name = name.lower()
    method = visit.call.method
    if not rest:
        collection = _COLLECTIONS.get((method, name))
        return collection(visit) if collection else _unknown(name)
    element = _ELEMENTS.get((method, name))
    return element(visit, rest) if element else _unknown(name)


def _unknown(name: str) -> Answer:
    if name in _KNOWN:
        return Answer(501, b"Not Implemented", TEXT)
    raise Missing
