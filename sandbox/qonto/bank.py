"""All of Qonto: its organisations and the tokens that open them."""

from sandbox.ids import Ids
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.people import Person
from sandbox.qonto.quota import Quota
from sandbox.tokens import QONTO_LIVES, Grant, TokenIssuer

CLIENT_ID = "sandbox-qonto-client"
CLIENT_SECRET = "sandbox-qonto-secret"  # noqa: S105 - opens nothing but this sandbox
SCOPES = frozenset(
    {
        *("offline_access", "organization.read", "membership.read", "webhook"),
        *("bank_account.write", "attachment.read"),
    }
)
SCOPE = "offline_access organization.read membership.read"


class Bank:
    """Qonto's state."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.organisations: dict[str, Organisation] = {}
        self.by_slug: dict[str, Organisation] = {}
        self.tokens = TokenIssuer(QONTO_LIVES, lambda _grant, _now_ms: f"ory_at_{ids.secret()}", ids.secret)
        self.quota = Quota()
        self._rows_made = 0

    def add(self, organisation: Organisation) -> None:
        """Take an organisation in."""
        self.organisations[organisation.id] = organisation
        self.by_slug[organisation.slug] = organisation

    def next_sequence(self) -> int:
        """A number that only grows: the order in which rows came into being."""
        self._rows_made += 1
        return self._rows_made

    def find_person(self, person_id: str) -> tuple[Organisation, Person] | None:
        """The person of this id and their organisation."""
        for organisation in self.organisations.values():
            if person_id in organisation.people:
                return organisation, organisation.people[person_id]
        return None

    def grant(self, organisation: Organisation, person: Person, scope: str = SCOPE) -> Grant:
        """What a person of the organisation allows the client."""
        return Grant(organisation.id, CLIENT_ID, person.id, scope)
