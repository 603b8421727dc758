"""A GET to Qonto: authorised, its errors translated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from clients.authorised import TokenSource, with_token
from clients.clock import Clock
from clients.decoding import decode, decode_leniently
from clients.errors import AccessExpired, Permanent, RateLimited, RemoteError, Temporary
from clients.http import Answer, Http
from settings import Secret

PAUSE = timedelta(seconds=10)  # Qonto counts requests in windows of ten seconds, and documents no Retry-After

Shape = TypeVar("Shape")


@dataclass(frozen=True)
class Qonto:
    """One organisation's view of Qonto. The Authorization header is `scheme` and token; an API key has no scheme."""

    http: Http
    base_url: str
    tokens: TokenSource
    clock: Clock
    scheme: str = ""

    def get(self, path: str, shape: type[Shape], params: Mapping[str, str] | None = None) -> Shape:
        """The decoded answer of `GET path`, or one of the four errors."""

        def call(token: Secret) -> Answer:
            headers = {"Authorization": self.scheme + token.reveal(), "Accept": "application/json"}
            answer = self.http.call("GET", self.base_url + path, headers=headers, params=params)
            if answer.status != 200:
                raise self._error(f"Qonto GET {path}", answer)
            return answer

        return decode(with_token(self.tokens, call).body, shape, f"Qonto GET {path}")

    def _error(self, call: str, answer: Answer) -> RemoteError:
        status = answer.status
        if status == 401:
            return AccessExpired(call, "401: the key or token is not accepted")
        if status == 429:
            return RateLimited(call, "429: too many requests", self.clock() + _retry_after(answer))
        if 400 <= status < 500:
            return Permanent(call, f"answered {status}", status, _details(decode_leniently(answer.body)))
        return Temporary(call, f"answered {status}")


def _retry_after(answer: Answer) -> timedelta:
    told = answer.headers.get("Retry-After", "")
    return timedelta(seconds=int(told)) if told.isdigit() and int(told) > 0 else PAUSE


def _details(body: object) -> list[str]:
    """Qonto's error texts, from any of the shapes it is known to use: a list, an object, a bare error."""
    errors = body.get("errors", body) if isinstance(body, dict) else body
    found = errors if isinstance(errors, list) else [errors]
    return [str(error["detail"]) for error in found if isinstance(error, dict) and "detail" in error]
