"""One request as a view sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from models.web_session import WebSession
from services.authorise import Return
from services.sign_in import Member, admit
from services.workbench import Workbench
from settings import Secret

KEPT = ("attempt", "tenant")  # of a query: what a page is about, and none of what OAuth brings


class NotSignedIn(Exception):
    """This needs a person who has signed in."""


@dataclass
class Visit:
    """`path` is of a page that a link may lead to. `token` is what the session's cookie holds.

    `session` may be missing, or of nobody yet.
    """

    workbench: Workbench
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    token: Secret
    session: WebSession | None
    member: Member | None = None

    @property
    def is_signed_in(self) -> bool:
        return self.session is not None and self.session.credential_id is not None

    def person(self) -> WebSession:
        """The session of somebody who signed in. Raises NotSignedIn."""
        if self.session is None or self.session.credential_id is None:
            raise NotSignedIn
        return self.session

    def admit(self) -> Member:
        """The person, if Qonto says at this moment that they may decide. Raises NotSignedIn, NotAllowed, SignedOut."""
        self.member = self.member or admit(self.workbench, self.person())
        return self.member

    def returned(self) -> Return:
        """What a browser brought back from an authorisation."""
        return Return(*(self.query.get(name, "") for name in ("state", "code", "error")))

    def form_token(self) -> str:
        """What every form of this session carries, which no other site can know."""
        return sha256(f"form {self.token.reveal()}".encode()).hexdigest() if self.token else ""

    def here(self, **more: str) -> str:
        """This page's address, also where a form was sent to it."""
        told = {**self.form, **self.query}
        query = {name: told[name] for name in KEPT if name in told} | more
        return f"{self.path}?{urlencode(query)}" if query else self.path
