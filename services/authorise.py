"""A browser is sent to Qonto or Xero with a one-time state, and comes back once, to the same session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from uuid import uuid4

from clients.errors import Reconnect
from clients.oauth import OAuthApp, TokenSet, authorise_url, exchange
from models.authorisation import LIFE, Authorisation, Side, count_tries, find_begun, use
from models.web_session import WebSession
from services.workbench import Workbench
from settings import Secret

RANDOM_BYTES = 32  # of a state, a verifier and a cookie: RFC 9700 asks for 16
MOST_TRIES = 10  # to connect, an organisation and hour


class Stray(StrEnum):
    """Why a browser that came back is not let on; nothing was asked of the other side."""

    UNKNOWN = "unknown"  # no state, a wrong one, or another session's
    USED = "used"
    EXPIRED = "expired"
    DENIED = "denied"  # the person said no
    FAILED = "failed"  # the other side could not, for a reason of its own
    DEAD = "dead"  # the code is not accepted


class CameAstray(Exception):
    """Start again; `why` says what to tell the person. `side` is where they come from."""

    def __init__(self, why: Stray, side: Side) -> None:
        super().__init__(f"came back from {side.value}: {why.value}")
        self.why, self.side = why, side


class TooManyTries(Exception):
    """This organisation has been sent to Xero too often in the last hour."""


@dataclass(frozen=True)
class Return:
    """What a browser brought back, as its query said it; each may be empty."""

    state: str
    code: str
    error: str


def digest(text: Secret) -> str:
    """What is stored of a cookie or a state: enough to know it again."""
    return sha256(text.reveal().encode()).hexdigest()


def random_secret() -> Secret:
    return Secret(secrets.token_urlsafe(RANDOM_BYTES))


def begin(workbench: Workbench, session: WebSession, side: Side, name: str = "") -> str:
    """Where to send the browser. Raises TooManyTries."""
    now = workbench.clock()
    if side == Side.XERO and count_tries(session.organisation_id, now) >= MOST_TRIES:
        raise TooManyTries
    state, verifier = random_secret(), random_secret()
    authorisation_id = uuid4().hex
    Authorisation.create(
        id=authorisation_id,
        session_id=session.id,
        organisation_id=session.organisation_id,
        side=side,
        state_hash=digest(state),
        verifier=workbench.keyring.encrypt(verifier, _context(authorisation_id)),
        name=name,
        created_at=now,
    )
    return authorise_url(_app(workbench, side), state, verifier)


def recognise(workbench: Workbench, session: WebSession | None, side: Side, back: Return) -> Authorisation:
    """What a browser that comes back was sent for; it can come back no second time. Raises CameAstray."""
    now = workbench.clock()
    found = find_begun(digest(Secret(back.state)), session.id, side) if session else None
    if found is None:
        raise CameAstray(Stray.UNKNOWN, side)
    if not use(found, now):
        raise CameAstray(Stray.USED, side)
    if now > found.created_at + LIFE:
        raise CameAstray(Stray.EXPIRED, side)
    if back.error or not back.code:
        raise CameAstray(Stray.DENIED if back.error == "access_denied" else Stray.FAILED, side)
    return found


def redeem(workbench: Workbench, authorisation: Authorisation, back: Return) -> TokenSet:
    """The token set for what it brought. Raises CameAstray, or a client's error: the code is spent then too."""
    side = Side(authorisation.side)
    verifier = workbench.keyring.decrypt(authorisation.verifier, _context(authorisation.id))
    try:
        return exchange(workbench.http, _app(workbench, side), Secret(back.code), verifier, workbench.clock)
    except Reconnect as error:
        raise CameAstray(Stray.DEAD, side) from error


def _app(workbench: Workbench, side: Side) -> OAuthApp:
    return workbench.qonto_app if side == Side.QONTO else workbench.xero_app


def _context(authorisation_id: str) -> str:
    return f"authorisation:{authorisation_id}:verifier"
