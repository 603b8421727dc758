"""Sign in with Qonto: who it is, for which organisation, and whether they may decide, asked of Qonto each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from clients.errors import Permanent, Refused
from clients.oauth import TokenSet
from clients.qonto.membership import Membership, read_membership
from clients.qonto.organisation import read_organisation
from domain.reasons import NotAllowed as Why
from domain.roles import why_not_allowed
from models import audit
from models.credential import Credential
from models.database import transaction
from models.statements import load
from models.web_session import WebSession, end_session, find_session
from services.authorise import digest, random_secret
from services.credentials import store_tokens
from services.workbench import QONTO_OAUTH, Workbench
from settings import Secret


class SignedOut(Exception):
    """Qonto no longer knows this session's person: sign in again."""


class NotAllowed(Exception):
    """This person may not decide about the integration; it has been written into the audit."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True)
class Member:
    """A person who may decide. `who` is what the audit calls them."""

    membership_id: str
    name: str

    @property
    def who(self) -> str:
        return who_is(self.name, self.membership_id)


def who_is(name: str, membership_id: str) -> str:
    """What the audit calls a member."""
    return f"{name} ({membership_id})" if name else membership_id


def name_in(who: str) -> str:
    """The name alone in what the audit calls a member; an operator's as it is."""
    return who.rpartition(" (")[0] or who


def open_session(workbench: Workbench) -> tuple[Secret, WebSession]:
    """A session of nobody yet, and the token that its cookie holds."""
    token, now = random_secret(), workbench.clock()
    return token, WebSession.create(id=digest(token), created_at=now, seen_at=now)


def session_of(workbench: Workbench, token: Secret) -> WebSession | None:
    """The session whose cookie holds this token, if it goes on."""
    return find_session(digest(token), workbench.clock()) if token else None


def sign_in(workbench: Workbench, before: str, tokens: TokenSet) -> Secret:
    """A new session in the place of the anonymous one (`before`, its id); the token of its cookie.

    Everybody of the organisation may sign in: what they may do is asked of Qonto at each step.
    """
    credential = store_tokens(workbench, QONTO_OAUTH, tokens)
    try:
        qonto = workbench.qonto_as(credential)
        with _known_to_qonto():
            organisation, membership = read_organisation(qonto), read_membership(qonto)
    except Exception:
        Credential.delete().where(Credential.id == credential.id).execute()
        raise
    token, now = random_secret(), workbench.clock()
    with transaction():
        end_session(before)
        WebSession.create(
            id=digest(token),
            organisation_id=organisation.id,
            organisation_name=organisation.legal_name or organisation.name or organisation.slug,
            person=membership.name,
            credential_id=credential.id,
            created_at=now,
            seen_at=now,
        )
    return token


def admit(workbench: Workbench, session: WebSession) -> Member:
    """The session's person, if they may decide now. Raises NotAllowed, SignedOut; Temporary and the like of Qonto."""
    membership = _ask(workbench, session)
    why = why_not_allowed(membership.role, membership.status)
    if why:
        with transaction():
            now, who = workbench.clock(), who_is(session.person, membership.id)
            audit.record(who, "organisation.refuse", session.organisation_id, now, why)
        raise NotAllowed(why)
    return Member(membership.id, membership.name)


def _ask(workbench: Workbench, session: WebSession) -> Membership:
    credential = load(Credential, session.credential_id)
    with _known_to_qonto():
        return read_membership(workbench.qonto_as(credential))


@contextmanager
def _known_to_qonto() -> Iterator[None]:
    """Whom Qonto does not know any more must sign in again."""
    try:
        yield
    except Refused as error:
        raise SignedOut from error
    except Permanent as error:
        if error.status in {403, 404}:  # a former member
            raise SignedOut from error
        raise
