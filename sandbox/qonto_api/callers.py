"""Who calls Qonto: an organisation by its key, or a client by what a person granted."""

from dataclasses import dataclass

from sandbox.qonto.errors import refused
from sandbox.qonto.organisation import Organisation
from sandbox.qonto.people import Person
from sandbox.tokens import Grant
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose data may be read; without a grant it is by API key, which belongs to no person."""

    organisation: Organisation
    grant: Grant | None = None

    def needs(self, scope: str) -> None:
        """Nothing, when a grant covers this scope or none is needed. Raises Refused."""
        if self.grant is not None and not self.grant.covers(scope):
            raise refused(403, "forbidden", f"The scope {scope} is missing")

    def person(self) -> Person:
        """Who granted, as they are now. Raises Refused."""
        if self.grant is None:
            raise refused(403, "forbidden", "An API key has no membership")
        return self.organisation.people[self.grant.consent_id]


def find_caller(world: World, authorization: str) -> Caller | None:
    """Who is behind `login:secret` or a living bearer token."""
    bank = world.bank
    if authorization[:7].lower() == "bearer ":
        token = bank.tokens.access(authorization[7:])
        if token is None or world.clock.now_ms() >= token.expires_ms:
            return None
        return Caller(bank.organisations[token.grant.subject], token.grant)
    login, _, secret = authorization.partition(":")
    organisation = bank.by_slug.get(login)
    return Caller(organisation) if organisation is not None and organisation.secret == secret else None
