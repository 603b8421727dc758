"""OAuth 2.0 refresh and revocation: Xero wants Basic authentication, Qonto wants the client in the body."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from clients.clock import Clock
from clients.decoding import decode, decode_leniently
from clients.errors import Permanent, RateLimited, Reconnect, Temporary
from clients.http import Answer, Http
from settings import Secret

TRY_AGAIN = timedelta(seconds=30)  # for a limit that names no time


@dataclass(frozen=True)
class TokenSet:
    """`expires_at` is when the access token ends, counted from before the request was made."""

    access_token: Secret
    refresh_token: Secret
    expires_at: datetime


@dataclass(frozen=True)
class OAuthApp:
    """Our application at one identity server."""

    token_url: str
    revoke_url: str
    client_id: str
    client_secret: Secret
    client_in_body: bool


class _Tokens(msgspec.Struct):
    access_token: str
    refresh_token: str
    expires_in: int


def refresh(http: Http, app: OAuthApp, refresh_token: Secret, clock: Clock) -> TokenSet:
    """A new token set for a refresh token, which rotates: the caller stores the new one before using it.

    Raises Reconnect when the token is dead, Temporary when the answer is lost (the old token then works on for its
    grace), RateLimited, or Permanent when the application itself is refused.
    """
    asked_at = clock()
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    answer = _post(http, app, app.token_url, form)
    if answer.status != 200:
        raise _refusal(answer, asked_at)
    tokens = decode(answer.body, _Tokens, "token refresh")
    return TokenSet(
        Secret(tokens.access_token),
        Secret(tokens.refresh_token),
        asked_at + timedelta(seconds=tokens.expires_in),
    )


def revoke(http: Http, app: OAuthApp, refresh_token: Secret) -> None:
    """The token set is dead from now on, and with it every connection of its person to the app.

    Xero answers 200 also for a token that was dead before. Raises Temporary.
    """
    answer = _post(http, app, app.revoke_url, {"token": refresh_token.reveal()})
    if answer.status != 200:
        raise Temporary("token revocation", f"answered {answer.status}")


def _post(http: Http, app: OAuthApp, url: str, form: dict[str, str]) -> Answer:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if app.client_in_body:
        form = form | {"client_id": app.client_id, "client_secret": app.client_secret.reveal()}
    else:
        pair = f"{app.client_id}:{app.client_secret.reveal()}".encode()
        headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    return http.call("POST", url, headers=headers, body=urlencode(form).encode())


def _refusal(answer: Answer, now: datetime) -> Exception:
    body = decode_leniently(answer.body)
    code = str(body.get("error", "")) if isinstance(body, dict) else ""
    if answer.status == 429:
        return RateLimited("token refresh", "too many requests", now + TRY_AGAIN)
    if code == "invalid_grant":
        return Reconnect("token refresh", "the authorisation has ended (invalid_grant)")
    if 400 <= answer.status < 500:
        problem = f"our application is refused ({code or answer.status}): check the client id and secret"
        return Permanent("token refresh", problem, answer.status, [])
    return Temporary("token refresh", f"answered {answer.status}")
