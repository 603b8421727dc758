"""OAuth 2.0, from consent to revocation: Xero wants Basic authentication, Qonto wants the client in the body."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from clients.clock import Clock
from clients.decoding import SPARE, decode, decode_leniently
from clients.errors import Permanent, RateLimited, Reconnect, Temporary
from clients.http import Answer, Http
from clients.numbers import duration_of, retry_after
from settings import Secret

TRY_AGAIN = timedelta(seconds=30)  # for a limit that names no time
USUAL_LIFETIME = timedelta(minutes=30)  # Xero's; one that is shorter shows itself by a 401


@dataclass(frozen=True)
class TokenSet:
    """`expires_at` is when the access token ends, counted from before the request was made."""

    access_token: Secret
    refresh_token: Secret
    expires_at: datetime


@dataclass(frozen=True)
class OAuthApp:
    """Our application at one identity server, Xero's or Qonto's by `name`. A browser comes back to `redirect_uri`, with
    what `scope` asks for.
    """

    name: str
    authorise_url: str
    token_url: str
    revoke_url: str
    client_id: str
    client_secret: Secret
    client_in_body: bool
    scope: str
    redirect_uri: str


MOST_CODE = 40  # characters of an error's name
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000, pattern=r"^[\x20-\x7e]+\Z")]  # fit for a header


class _Tokens(msgspec.Struct):
    access_token: Token
    refresh_token: Token
    expires_in: Annotated[Any, SPARE] = None


def authorise_url(app: OAuthApp, state: Secret, verifier: Secret) -> str:
    """Where a browser asks its person to let us in. What comes back is worth nothing without `verifier` (RFC 7636)."""
    url: str = prepare_grant_uri(
        app.authorise_url,
        app.client_id,
        "code",
        app.redirect_uri,
        app.scope,
        state.reveal(),
        code_challenge=create_s256_code_challenge(verifier.reveal()),
        code_challenge_method="S256",
    )
    return url


def exchange(http: Http, app: OAuthApp, code: Secret, verifier: Secret, clock: Clock) -> TokenSet:
    """The first token set, for the code that a browser brought back: it works once, so a lost answer is final.

    Raises Reconnect when the code is dead or not ours, Temporary, RateLimited, Permanent.
    """
    form = {"grant_type": "authorization_code", "code": code.reveal(), "redirect_uri": app.redirect_uri}
    return _token_set(http, app, f"code exchange at {app.name}", form | {"code_verifier": verifier.reveal()}, clock)


def refresh(http: Http, app: OAuthApp, refresh_token: Secret, clock: Clock) -> TokenSet:
    """A new token set for a refresh token, which rotates: the caller stores the new one before using it.

    Raises Reconnect when the token is dead, Temporary when the answer is lost (the old token then works on for its
    grace), RateLimited, or Permanent when the application itself is refused.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    return _token_set(http, app, f"token refresh at {app.name}", form, clock)


def _token_set(http: Http, app: OAuthApp, call: str, form: dict[str, str], clock: Clock) -> TokenSet:
    asked_at = clock()
    answer = _post(http, app, app.token_url, form)
    if answer.status != 200:
        raise _refusal(call, answer, asked_at)
    tokens = decode(answer.body, _Tokens, call)
    return TokenSet(
        Secret(tokens.access_token),
        Secret(tokens.refresh_token),
        asked_at + (duration_of(tokens.expires_in) or USUAL_LIFETIME),
    )


def revoke(http: Http, app: OAuthApp, refresh_token: Secret) -> None:
    """The token set is dead from now on, and with it every connection of its person to the app.

    Xero answers 200 also for a token that was dead before. Raises Temporary.
    """
    answer = _post(http, app, app.revoke_url, {"token": refresh_token.reveal()})
    if answer.status != 200:
        raise Temporary(f"token revocation at {app.name}", f"answered {answer.status}")


def _post(http: Http, app: OAuthApp, url: str, form: dict[str, str]) -> Answer:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if app.client_in_body:
        form = form | {"client_id": app.client_id, "client_secret": app.client_secret.reveal()}
    else:
        pair = f"{app.client_id}:{app.client_secret.reveal()}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return http.call("POST", url, headers=headers, body=urlencode(form).encode())


def _refusal(call: str, answer: Answer, now: datetime) -> Exception:
    body = decode_leniently(answer.body)
    code = str(body.get("error", ""))[:MOST_CODE] if isinstance(body, dict) else ""
    if answer.status == 429:
        wait = retry_after(answer.headers.get("Retry-After", ""), now) or TRY_AGAIN
        return RateLimited(call, "too many requests", now + wait)
    if code == "invalid_grant":
        return Reconnect(call, "the authorisation has ended (invalid_grant)")
    if 400 <= answer.status < 500:
        problem = f"our application is refused ({code or answer.status}): check the client id and secret"
        return Permanent(call, problem, answer.status, [])
    return Temporary(call, f"answered {answer.status}")
