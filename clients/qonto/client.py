"""A GET to Qonto: authorised, its errors translated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from clients.authorised import TokenSource, with_token
from clients.clock import Clock
from clients.decoding import decode, decode_leniently
from clients.errors import AccessExpired, Permanent, RateLimited, Refused, RemoteError, Temporary
from clients.http import Answer, Http
from clients.numbers import retry_after
from clients.qonto.budget import CallBudget
from clients.words import words
from settings import Secret

OF_EVERY_LOGIN = {"/v2/organization", "/v2/bank_accounts"}  # a login that may not read these may read nothing
PAUSE = timedelta(seconds=10)  # Qonto counts requests in windows of ten seconds, and documents no Retry-After

Shape = TypeVar("Shape")


@dataclass(frozen=True)
class Qonto:
    """One organisation's view of Qonto. The Authorization header is `scheme` and token; an API key has no scheme.

    `budget` is asked before each call.
    """

    http: Http
    base_url: str
    tokens: TokenSource
    budget: CallBudget
    clock: Clock
    scheme: str = ""

    def get(self, path: str, shape: type[Shape], params: Mapping[str, str] | None = None) -> Shape:
        """Return the decoded answer of `GET path`. Raises any RemoteError."""
        return decode(self.body(path, params), shape, f"Qonto GET {path}")

    def body(self, path: str, params: Mapping[str, str] | None = None) -> bytes:
        """Return the answer of `GET path` as it came. Raises any RemoteError but Unreadable."""

        def call(token: Secret) -> Answer:
            headers = {"Authorization": self.scheme + token.reveal(), "Accept": "application/json"}
            self.budget.take()
            answer = self.http.call("GET", self.base_url + path, headers=headers, params=params)
            if answer.status != 200:
                raise self._error(path, answer)
            return answer

        return with_token(self.tokens, call).body

    def _error(self, path: str, answer: Answer) -> RemoteError:
        status, call = answer.status, f"Qonto GET {path}"
        if status == 401:
            return AccessExpired(call, "401: the key or token is not accepted")
        if status == 429:
            now = self.clock()
            until = now + self._pause(answer, now)
            self.budget.pause(until)
            return RateLimited(call, "429: too many requests", until)
        if status == 403 and path in OF_EVERY_LOGIN:
            return Refused(call, "403: Qonto does not let us into this organisation")
        if status == 403 and not isinstance(decode_leniently(answer.body), (dict, list)):
            return Temporary(call, "answered 403, and not in Qonto's own form")
        if 400 <= status < 500:
            return Permanent(call, f"answered {status}", status, _details(decode_leniently(answer.body)))
        return Temporary(call, f"answered {status}")

    def _pause(self, answer: Answer, now: datetime) -> timedelta:
        return retry_after(answer.headers.get("Retry-After", ""), now) or PAUSE


def _details(body: object) -> list[str]:
    """Qonto's error texts, from any of the shapes it is known to use: a list, an object, a bare error."""
    errors = body.get("errors", body) if isinstance(body, dict) else body
    found = errors if isinstance(errors, list) else [errors]
    return words(error["detail"] for error in found if isinstance(error, dict) and "detail" in error)
