"""/Organisation, /Currencies and /Contacts."""

from sandbox.wire import Answer, encode_json
from sandbox.xero.contacts import Contact
from sandbox.xero.errors import Missing, refused_element
from sandbox.xero.notation import read_elements, read_text
from sandbox.xero.tenant import currency_name
from sandbox.xero.where import parse_where, sort_rows
from sandbox.xero_api.visit import Visit

_PAGE_SIZE = 100
_CONTACT_FIELDS = {
    "contactid": lambda contact: contact.id,
    "name": lambda contact: contact.name,
    "contactstatus": lambda contact: contact.status,
    "updateddateutc": lambda contact: contact.updated_ms,
}


def show(visit: Visit) -> Answer:
    """GET /Organisation: one element, though the key is plural."""
    return visit.collection("Organisations", [encode_json(visit.tenant.organisation())])


def actions(visit: Visit, rest: str) -> Answer:
    """GET /Organisation/Actions: whether more currencies are allowed."""
    if rest.lower() != "actions":
        raise Missing
    status = "ALLOWED" if visit.tenant.multi_currency else "NOT-ALLOWED"
    return visit.collection("Actions", [encode_json({"Name": "UseMulticurrency", "Status": status})])


def list_currencies(visit: Visit) -> Answer:
    """GET /Currencies: those the organisation is subscribed to."""
    return visit.collection("Currencies", [_currency(code) for code in visit.tenant.currencies])


def add_currency(visit: Visit) -> Answer:
    """PUT /Currencies: subscribe to one more."""
    element = read_elements(visit.call.body, "Currencies")[0]
    code = (read_text(element, "Code") or "").upper()
    if len(code) != 3 or not code.isalpha():
        raise refused_element(element, "Currency code is not valid")
    if code not in visit.tenant.currencies:
        if not visit.tenant.multi_currency:
            raise refused_element(element, "Organisation's plan does not include multi currency")
        visit.tenant.currencies.append(code)
    return visit.collection("Currencies", [_currency(code)])


def list_contacts(visit: Visit) -> Answer:
    """GET /Contacts with `where`, `order`, `page`; archived ones only when includeArchived=true."""
    call = visit.call
    conditions = parse_where(call.parameter("where"), _CONTACT_FIELDS)
    archived = (call.parameter("includeArchived") or "").lower() == "true"
    rows: list[Contact] = [
        contact
        for contact in visit.tenant.contacts
        if (archived or contact.status == "ACTIVE") and all(condition.holds(contact) for condition in conditions)
    ]
    rows = sort_rows(rows, call.parameter("order"), _CONTACT_FIELDS)
    page = call.parameter("page")
    if page is not None and page.isdigit():
        start = (max(1, int(page)) - 1) * _PAGE_SIZE
        rows = rows[start : start + _PAGE_SIZE]
    return visit.collection("Contacts", [contact.json() for contact in rows])


def show_contact(visit: Visit, contact_id: str) -> Answer:
    """GET /Contacts/{id}."""
    contact = visit.tenant.contacts.get(contact_id)
    if contact is None:
        raise Missing
    return visit.collection("Contacts", [contact.json()])


def _currency(code: str) -> bytes:
    return encode_json({"Code": code, "Description": currency_name(code)})
