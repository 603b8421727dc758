"""OAuth 2.0 token sets with rotating refresh tokens and a grace for the previous one."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.instants import DAY_MS, MINUTE_MS

CODE_LIFE_MS = 5 * MINUTE_MS


@dataclass(slots=True)
class Grant:
    """What a person allowed a client: whose data, through which consent, how far."""

    subject: str
    client_id: str
    event_id: str
    scope: str


@dataclass(slots=True)
class AccessToken:
    """A bearer token and when it dies."""

    text: str
    grant: Grant
    expires_ms: int


@dataclass(slots=True)
class RefreshToken:
    """A refresh token; `replaced_ms` is when it was first used."""

    grant: Grant
    expires_ms: int
    replaced_ms: int | None = None
    revoked: bool = False


@dataclass(slots=True)
class Code:
    """An authorization code: single use, five minutes."""

    grant: Grant
    redirect_uri: str | None
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Lives:
    """How long each kind of token lives, in milliseconds."""

    access_ms: int
    refresh_ms: int
    grace_ms: int


# Xero, "OAuth 2.0: token types": 30 minutes, 60 days, and 30 minutes of grace for a lost answer.
XERO_LIVES = Lives(30 * MINUTE_MS, 60 * DAY_MS, 30 * MINUTE_MS)
# Qonto, "Refresh token endpoint": 1 hour, 90 days, 60 seconds of grace.
QONTO_LIVES = Lives(60 * MINUTE_MS, 90 * DAY_MS, MINUTE_MS)


class TokenIssuer:
    """One provider's tokens, codes and their rules."""

    def __init__(self, lives: Lives, mint: Callable[[Grant, int], str], secret_text: Callable[[], str]) -> None:
        self.lives = lives
        self._mint = mint
        self._secret_text = secret_text
        self._access: dict[str, AccessToken] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._codes: dict[str, Code] = {}

    def access(self, text: str) -> AccessToken | None:
        """The access token of this text, dead or alive."""
        return self._access.get(text)

    def issue(self, grant: Grant, now_ms: int) -> tuple[str, str]:
        """A new access token and a new refresh token."""
        expires_ms = now_ms + self.lives.access_ms
        access = self._mint(grant, now_ms)
        refresh = self._secret_text()
        self._access[access] = AccessToken(access, grant, expires_ms)
        self._refresh[refresh] = RefreshToken(grant, now_ms + self.lives.refresh_ms)
        return access, refresh

    def redeem_refresh(self, text: str, client_id: str, now_ms: int) -> Grant | None:
        """The grant behind a refresh token, which is thereby used; None means invalid_grant."""
        token = self._refresh.get(text)
        if token is None or token.revoked or now_ms >= token.expires_ms or token.grant.client_id != client_id:
            return None
        if token.replaced_ms is None:
            token.replaced_ms = now_ms
        elif now_ms > token.replaced_ms + self.lives.grace_ms:
            return None
        return token.grant

    def make_code(self, grant: Grant, redirect_uri: str | None, now_ms: int) -> str:
        """An authorization code for a consent given now."""
        text = self._secret_text()
        self._codes[text] = Code(grant, redirect_uri, now_ms + CODE_LIFE_MS)
        return text

    def redeem_code(self, text: str, client_id: str, redirect_uri: str | None, now_ms: int) -> Grant | None:
        """The grant behind a code, which thereby dies; None means invalid_grant."""
        code = self._codes.pop(text, None)
        if code is None or now_ms >= code.expires_ms or code.grant.client_id != client_id:
            return None
        if code.redirect_uri is not None and code.redirect_uri != redirect_uri:
            return None
        return code.grant

    def revoke_subject(self, subject: str) -> None:
        """Kill every refresh and access token of one person or organisation."""
        for token in self._refresh.values():
            token.revoked = token.revoked or token.grant.subject == subject
        for text in [text for text, token in self._access.items() if token.grant.subject == subject]:
            del self._access[text]

    def revoke_refresh_tokens(self, subject: str) -> None:
        """Kill the refresh tokens only: access goes on until it expires."""
        for token in self._refresh.values():
            token.revoked = token.revoked or token.grant.subject == subject

    def subject_of_refresh(self, text: str) -> str | None:
        """Whose refresh token this is."""
        token = self._refresh.get(text)
        return token.grant.subject if token else None
