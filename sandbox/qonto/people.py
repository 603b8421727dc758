"""The people of an organisation, which Qonto calls its memberships."""

from dataclasses import dataclass

import msgspec


class PersonSpec(msgspec.Struct, forbid_unknown_fields=True):
    """A person as a test tells it; roles and statuses are any text, for Qonto may add some."""

    first_name: str
    last_name: str = ""
    email: str | None = None
    role: str | None = "owner"
    status: str = "active"
    locale: str | None = None
    id: str | None = None


@dataclass(slots=True)
class Person:
    """One human in one organisation; in another they are another person with the same email."""

    id: str
    first_name: str
    last_name: str
    email: str
    role: str | None
    status: str
    locale: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def listed(self) -> dict[str, object]:
        """The person as GET /v2/memberships lists them."""
        return {
            "id": self.id,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email,
            "role": self.role,
            "status": self.status,
            "team_id": None,
            "residence_country": "FR",
            "birthdate": None,
            "nationality": "FR",
            "ubo": False,
            "birth_country": "FR",
        }

    def membership(self) -> dict[str, object]:
        """The person as GET /v2/membership shows them to themselves."""
        more = {"locale": self.locale, "phone_number": None, "position": None, "kyc_status": "accepted"}
        return self.listed() | more


def default_people() -> list[PersonSpec]:
    """Who is in an organisation of which nothing else is told: its owner."""
    return [PersonSpec(first_name="Ada", last_name="Owner")]
