"""Access tokens: refreshed by one process at a time, stored before they are used."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

from clients.clock import Clock
from clients.errors import Permanent, RateLimited, Reconnect, Refused, Temporary, Unreadable
from clients.http import Http
from clients.oauth import OAuthApp, TokenSet, refresh, revoke
from failpoints import hit
from metrics import TOKEN_REFRESHES
from models.credential import Credential, claim_refresh, release_claim, renew_claim, store_refreshed
from models.encryption import Keyring
from models.statements import load
from settings import Secret

MARGIN = timedelta(seconds=60)  # a token this near its end may not outlive the call
# An answer that was lost may have been the new refresh token. The old one goes on working for a grace, 30 minutes at
# Xero and 60 seconds at Qonto, so it is tried again at once: with these rests, and no try begins later than that.
RESTS_SECONDS = (0.0, 1.0, 4.0, 10.0)
TRY_WITHIN = timedelta(seconds=20)  # a try takes 15 s, or 25 s if its answer drips
PEER_SECONDS = 50  # how long to wait for another process's refresh; one may take 45 s
GLANCE_SECONDS = 0.05


class ApiKey:
    """A Qonto API key, `login:secret`: it does not expire, and nothing can renew it."""

    def __init__(self, credential: Credential, keyring: Keyring) -> None:
        self.is_accepted = False
        self._credential = credential
        self._keyring = keyring

    def current(self) -> Secret:
        return _secret_of(self._credential, self._keyring)

    def renew(self, refused: Secret) -> Secret:  # noqa: ARG002 - there is nothing to renew
        raise Refused("Qonto API key", "401: it was deleted, or is not this organisation's")

    def revoke(self) -> None:
        """A key is its owner's, who alone can delete it."""


class Watch(Protocol):
    """Who must know whether the other side answers at all, and may say that it is not to be asked now."""

    def take_for_token(self) -> None: ...

    def failed(self) -> None: ...

    def settle(self) -> None: ...


class StoredTokens:
    """A credential's access token. It is renewed under a claim on the row, after looking whether a peer has done it."""

    def __init__(
        self,
        credential_id: str,
        app: OAuthApp,
        keyring: Keyring,
        http: Http,
        clock: Clock,
        watch: Watch | None = None,
    ) -> None:
        self.is_accepted = False
        self._id = credential_id
        self._app = app
        self._keyring = keyring
        self._http = http
        self._clock = clock
        self._watch = watch
        self._me = uuid4().hex
        self._held: tuple[Secret, datetime] | None = None

    def current(self) -> Secret:
        """The stored token, read once; or a new one if it has ended."""
        if self._held is None or self._held[1] <= self._clock() + MARGIN:
            credential = load(Credential, self._id)
            token = self._fresh(credential)
            if token is None:
                return self.renew(Secret(""))
            self._held = (token, credential.expires_at)
        return self._held[0]

    def renew(self, refused: Secret) -> Secret:
        """A token other than `refused`: a peer's, or one refreshed now. Raises Reconnect, Temporary, RateLimited."""
        self._held = None
        deadline = time.monotonic() + PEER_SECONDS
        while time.monotonic() < deadline:
            credential = load(Credential, self._id)
            token = self._fresh(credential)
            if token and token != refused:
                return token
            if claim_refresh(credential, self._me, self._clock()):
                tokens = self._refresh(credential)
                if tokens:
                    return tokens.access_token
            time.sleep(GLANCE_SECONDS)
        raise Temporary("token refresh", "another process has been refreshing it for too long")

    def revoke(self) -> None:
        """End the login's whole authorisation: with it goes every connection that its person ever made through us."""
        revoke(self._http, self._app, _secret_of(load(Credential, self._id), self._keyring))

    def _fresh(self, credential: Credential) -> Secret | None:
        if not credential.access_token or not credential.expires_at:
            return None
        if credential.expires_at <= self._clock() + MARGIN:
            return None
        return self._keyring.decrypt(credential.access_token, access_context(self._id))

    def _ask(self, credential: Credential, old: Secret) -> TokenSet:
        """Return new tokens for the old refresh token, which is tried again at once if the answer is lost.

        Each try counts for the circuit, which ends the tries once it opens. Raises Temporary if our own application is
        refused: that is ours to mend, and says nothing of the connection.
        """
        until, rests = self._clock() + TRY_WITHIN, iter(RESTS_SECONDS)
        lost: Temporary | None = None
        while True:
            try:
                return self._ask_once(old)
            except Permanent as error:
                raise Temporary(error.call, error.problem) from error
            except RateLimited as limited:
                raise lost or limited from limited
            except Temporary as error:
                lost = error
                rest = next(rests, None)
                if rest is None or not self._may_try_again(credential, until, rest):
                    raise

    def _ask_once(self, old: Secret) -> TokenSet:
        if not self._watch:
            return refresh(self._http, self._app, old, self._clock)
        self._watch.take_for_token()
        try:
            return refresh(self._http, self._app, old, self._clock)
        except Unreadable:
            raise  # an answer all the same
        except Temporary:
            self._watch.failed()  # that it answers says nothing of the API, so only its silence counts
            raise
        finally:
            self._watch.settle()

    def _may_try_again(self, credential: Credential, until: datetime, rest_seconds: float) -> bool:
        """Rest, and return whether there is time for another try and the claim is still ours."""
        time.sleep(rest_seconds)
        now = self._clock()
        return now <= until and renew_claim(credential, self._me, now)

    def _refresh(self, credential: Credential) -> TokenSet | None:
        """The new token set, durable; `None` when a peer was faster and the row should be read again."""
        try:
            old = _secret_of(credential, self._keyring)
            tokens = self._ask(credential, old)
        except Reconnect:
            release_claim(credential, self._me)
            if load(Credential, self._id).version != credential.version:
                return None
            self._count("refused")
            raise
        except Exception:
            release_claim(credential, self._me)
            self._count("failed")
            raise
        self._count("refreshed")
        hit("refreshed")
        stored = store_refreshed(
            credential,
            self._me,
            secret=self._keyring.encrypt(tokens.refresh_token, secret_context(self._id)),
            access_token=self._keyring.encrypt(tokens.access_token, access_context(self._id)),
            expires_at=tokens.expires_at,
        )
        return tokens if stored else None

    def _count(self, result: str) -> None:
        TOKEN_REFRESHES.labels(self._app.name.lower(), result).inc()


def _secret_of(credential: Credential, keyring: Keyring) -> Secret:
    """Raises Reconnect when it was erased, because the connection has ended or was made anew."""
    if not credential.secret:
        raise Reconnect("stored secret", "it was erased")
    return keyring.decrypt(credential.secret, secret_context(credential.id))


def context_of(credential_id: str, field: str) -> str:
    """What a stored secret is bound to, so that it opens in no other row and no other field."""
    return f"credential:{credential_id}:{field}"


def secret_context(credential_id: str) -> str:
    return context_of(credential_id, "secret")


def access_context(credential_id: str) -> str:
    return context_of(credential_id, "access_token")
