"""OAuth 2.0 token sets with rotating refresh tokens and a grace for the previous one."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.instants import DAY_MS, MINUTE_MS
from sandbox.pkce import proves

CODE_LIFE_MS = 5 * MINUTE_MS


@dataclass(slots=True)
class Grant:
    """What a person allowed a client: whose data, through which consent, how far.

    `consent_id` is Xero's authentication event, or the Qonto membership of who consented.
    """

    subject: str
    client_id: str
    consent_id: str
    scope: str

    def covers(self, scope: str) -> bool:
        """Whether this scope was granted."""
        return scope in self.scope.split()


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
    """An authorization code: single use, five minutes, for who can answer the `challenge` if there is one."""

    grant: Grant
    redirect_uri: str | None
    challenge: str | None
    expires_ms: int


@dataclass(frozen=True, slots=True)
class CodeClaim:
    """What a client shows to get the grant behind a code."""

    code: str
    client_id: str
    redirect_uri: str | None
    verifier: str | None

    @classmethod
    def of(cls, form: dict[str, str], client_id: str) -> "CodeClaim":
        """The claim in a token request."""
        return cls(form.get("code", ""), client_id, form.get("redirect_uri"), form.get("code_verifier"))


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

    def issue(self, grant: Grant, now_ms: int) -> dict[str, object]:
        """A new access token and, with `offline_access`, a new refresh token, as OAuth 2.0 names them."""
        access = self._mint(grant, now_ms)
        self._access[access] = AccessToken(access, grant, now_ms + self.lives.access_ms)
        issued: dict[str, object] = {
            "access_token": access,
            "expires_in": self.lives.access_ms // 1000,
            "scope": grant.scope,
        }
        if grant.covers("offline_access"):
            refresh = self._secret_text()
            self._refresh[refresh] = RefreshToken(grant, now_ms + self.lives.refresh_ms)
            issued["refresh_token"] = refresh
        return issued

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

    def make_code(self, grant: Grant, redirect_uri: str | None, challenge: str | None, now_ms: int) -> str:
        """An authorization code for a consent given now."""
        text = self._secret_text()
        self._codes[text] = Code(grant, redirect_uri, challenge, now_ms + CODE_LIFE_MS)
        return text

    def redeem_code(self, claim: CodeClaim, now_ms: int) -> Grant | None:
        """The grant behind a code, which is used up in any case; None means invalid_grant."""
        code = self._codes.pop(claim.code, None)
        if code is None or now_ms >= code.expires_ms or code.grant.client_id != claim.client_id:
            return None
        if code.redirect_uri is not None and code.redirect_uri != claim.redirect_uri:
            return None
        return code.grant if proves(claim.verifier, code.challenge) else None

    def revoke_subject(self, subject: str) -> None:
        """Kill every refresh and access token of one person or organisation."""
        self._revoke(lambda grant: grant.subject == subject)

    def revoke_token_set(self, text: str) -> None:
        """Kill the access and refresh tokens of the grant behind this token of either kind, if there is one."""
        token = self._refresh.get(text) or self._access.get(text)
        if token is not None:
            revoked = token.grant
            self._revoke(lambda grant: grant is revoked)

    def revoke_refresh_tokens(self, subject: str) -> None:
        """Kill the refresh tokens only: access goes on until it expires."""
        for token in self._refresh.values():
            token.revoked = token.revoked or token.grant.subject == subject

    def subject_of_refresh(self, text: str) -> str | None:
        """Whose refresh token this is."""
        token = self._refresh.get(text)
        return token.grant.subject if token else None

    def _revoke(self, is_meant: Callable[[Grant], bool]) -> None:
        for token in self._refresh.values():
            token.revoked = token.revoked or is_meant(token.grant)
        self._access = {text: token for text, token in self._access.items() if not is_meant(token.grant)}
