"""A Xero organisation's contacts, most of them made by name."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.wire import encode_json
from sandbox.xero.notation import instant_json


@dataclass(slots=True, eq=False)
class Contact:
    """A counterparty."""

    id: str
    name: str
    updated_ms: int
    status: str = "ACTIVE"

    def json(self) -> bytes:
        """The contact as GET /Contacts shows it."""
        content = {
            "ContactID": self.id,
            "ContactStatus": self.status,
            "Name": self.name,
            "Addresses": [],
            "Phones": [],
            "UpdatedDateUTC": instant_json(self.updated_ms),
            "ContactGroups": [],
            "IsSupplier": False,
            "IsCustomer": False,
            "ContactPersons": [],
            "HasAttachments": False,
            "HasValidationErrors": False,
        }
        return encode_json(content)


class ContactBook:
    """Contacts by id and by name; names are compared without regard to case."""

    def __init__(self) -> None:
        self._by_id: dict[str, Contact] = {}
        self._by_name: dict[str, Contact] = {}

    def __iter__(self) -> Iterator[Contact]:
        return iter(self._by_id.values())

    def get(self, contact_id: str) -> Contact | None:
        """The contact of this id."""
        return self._by_id.get(contact_id.lower())

    def named(self, name: str) -> Contact | None:
        """The contact of this name."""
        return self._by_name.get(name.casefold())

    def add(self, contact: Contact) -> None:
        """Take a contact in."""
        self._by_id[contact.id] = contact
        self._by_name[contact.name.casefold()] = contact
