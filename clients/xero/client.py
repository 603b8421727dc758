"""Calls to one Xero organisation: authorised, within the rate budget, their errors translated."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict, Unpack

from clients.authorised import TokenSource, with_token
from clients.clock import Clock
from clients.decoding import decode_leniently
from clients.errors import AccessExpired, Permanent, RateLimited, Refused, RemoteError, Temporary, TooLate, Unreadable
from clients.http import Answer, Http
from clients.numbers import retry_after
from clients.steady import steady_seconds
from clients.words import words
from clients.xero.budget import CallBudget, remaining
from settings import Secret

API = "/api.xro/2.0"
MOST_WORD = 40  # characters of the name of a limit
A_SECOND = timedelta(seconds=1)
PAUSE_CONCURRENT = timedelta(seconds=5)  # the limit on calls in progress names no time
PAUSE_MINUTE = timedelta(seconds=60)  # nor does the one on all our calls in a minute
PAUSE_DAY = timedelta(hours=1)  # the one on a day's calls names its end; it is asked again if that cannot be read


class Parts(TypedDict, total=False):
    """What a call may carry besides its path. `key` is its Idempotency-Key.

    `not_after`, in `steady_seconds()`, is until when it may leave this machine.
    """

    params: Mapping[str, str]
    body: bytes
    key: str
    modified_since: datetime | None
    not_after: float


@dataclass(frozen=True)
class Xero:
    """One tenant. `tokens` give the bearer token; `budget` is asked before each call."""

    http: Http
    base_url: str
    tenant_id: str
    tokens: TokenSource
    budget: CallBudget
    clock: Clock

    def call(self, method: str, path: str, **parts: Unpack[Parts]) -> Answer:
        """One call, sent again once under a fresh token if the current one has expired."""
        return with_token(self.tokens, lambda token: self.call_once(token, method, path, **parts))

    def call_once(self, token: Secret, method: str, path: str, **parts: Unpack[Parts]) -> Answer:
        """One call, sent at most once. Raises RateLimited before sending when the budget is used up."""
        self.budget.take()
        try:
            return self.outcome(f"{method} {path}", lambda: self.ask(token, method, path, **parts))
        finally:
            self.budget.settle()

    def ask(self, token: Secret, method: str, path: str, **parts: Unpack[Parts]) -> Answer:
        """The request itself, for which the budget was asked: whatever Xero answers. Any thread may make it.

        Raises Temporary, and TooLate, with nothing sent, if this process was held up until after `not_after`.
        """
        not_after = parts.get("not_after", math.inf)
        if steady_seconds() > not_after:
            raise TooLate(f"Xero {method} {path}", "this process was held up before it could send")
        return self.http.call(
            method,
            self.base_url + API + path,
            headers=self._headers(token, parts),
            params=parts.get("params"),
            body=parts.get("body"),
            not_after=not_after,
        )

    def outcome(self, what: str, answered: Callable[[], Answer]) -> Answer:
        """What came of a request (`what`, as in `GET /Accounts`): the answer, or the error that it means."""
        try:
            answer = answered()
        except Unreadable:
            raise  # an answer all the same
        except Temporary:
            self.budget.failed()
            raise
        if answer.status >= 500:
            self.budget.failed()
        else:
            self.budget.answered(remaining(answer.headers))
        if answer.status != 200:
            raise self._error(f"Xero {what}", answer)
        return answer

    def _headers(self, token: Secret, parts: Parts) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {token.reveal()}",
            "xero-tenant-id": self.tenant_id,
            "Accept": "application/json",
        }
        if parts.get("body") is not None:
            headers["Content-Type"] = "application/json"
        if key := parts.get("key"):
            headers["Idempotency-Key"] = key
        if since := parts.get("modified_since"):
            headers["If-Modified-Since"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return headers

    def _error(self, call: str, answer: Answer) -> RemoteError:
        status = answer.status
        if status == 401:
            return AccessExpired(call, "401: the access token is not accepted")
        if status == 403 and isinstance(decode_leniently(answer.body), dict):
            return Refused(call, "403: Xero does not let us into this organisation", is_of_tenant=True)
        if status == 403:
            return Refused(call, "403, and not in Xero's own form")
        if status == 429:
            now = self.clock()
            problem, wait = _limit(answer.headers, now)
            return RateLimited(call, f"429: {problem} limit", now + wait)
        if 400 <= status < 500:
            body = decode_leniently(answer.body)
            return Permanent(call, f"answered {status}", status, _messages(body), _kind(body))
        return Temporary(call, f"answered {status}", status)


def _limit(headers: Mapping[str, str], now: datetime) -> tuple[str, timedelta]:
    """Which limit was met, in Xero's word, and how long to wait."""
    problem = headers.get("X-Rate-Limit-Problem", "").lower()[:MOST_WORD] or "rate"
    asked = retry_after(headers.get("Retry-After", ""), now)
    if asked is not None:
        return problem, max(A_SECOND, asked)
    if "concurrent" in problem:
        return problem, PAUSE_CONCURRENT
    return problem, PAUSE_DAY if problem == "day" else PAUSE_MINUTE


def _messages(body: Any) -> list[str]:
    """Xero's own words in a 400, from its elements or its head."""
    if not isinstance(body, dict):
        return []
    inner = [
        message
        for element in _objects(body.get("Elements"))
        for message in validation_messages(element.get("ValidationErrors"))
    ]
    return inner or words([body.get("Message")])


def _kind(body: Any) -> str:
    return str(body.get("Type") or "") if isinstance(body, dict) else ""


def validation_messages(errors: Any) -> list[str]:
    """The texts in a `ValidationErrors` list; Xero's documentation shows both `Message` and `Description`."""
    return words(error.get("Message") or error.get("Description") for error in _objects(errors))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
