"""The other side of a client: answers said in order, calls remembered, a clock that stands still."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clients.errors import RateLimited, RemoteError
from clients.http import Answer, Http
from clients.xero.budget import Remaining
from settings import Secret

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """One request, as the HTTP client was asked to make it."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Mapping[str, str]
    body: bytes | None


class FakeHttp(Http):
    """Gives or raises `answers` one after the other, and keeps every request in `sent`."""

    def __init__(self, *answers: Answer | RemoteError) -> None:
        self.answers = list(answers)
        self.sent: list[Sent] = []

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        not_after: float = math.inf,  # noqa: ARG002 - these leave at once
    ) -> Answer:
        self.sent.append(Sent(method, url, headers or {}, params or {}, body))
        given = self.answers.pop(0)
        if isinstance(given, RemoteError):
            raise given
        return given


@dataclass
class FakeBudget:
    """Counts calls; while `closed_until` is set the next ones are refused."""

    taken: int = 0
    heard: list[Remaining] = field(default_factory=list)
    failures: int = 0
    settled: int = 0
    closed_until: datetime | None = None
    paused_until: datetime | None = None

    def take(self) -> None:
        if self.closed_until:
            raise RateLimited("budget", "used up", self.closed_until)
        self.taken += 1

    def take_of_app(self) -> None:
        self.take()

    def count(self) -> None:
        """The whole call was counted by `take_of_app`."""

    def answered(self, left: Remaining) -> None:
        self.heard.append(left)

    def failed(self) -> None:
        self.failures += 1

    def settle(self) -> None:
        self.settled += 1

    def pause(self, until: datetime) -> None:
        self.paused_until = until


@dataclass
class FakeTokens:
    """Tokens numbered from one; `refused` are those it was told are no longer good."""

    refused: list[Secret] = field(default_factory=list)
    is_accepted: bool = False

    def current(self) -> Secret:
        return Secret(f"token-{len(self.refused) + 1}")

    def revoke(self) -> None: ...

    def renew(self, refused: Secret) -> Secret:
        self.refused.append(refused)
        return self.current()


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    """An answer; a body that is not bytes becomes JSON, and `retry_after` the header Retry-After."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Answer(status, named, body if isinstance(body, bytes) else json.dumps(body).encode())


def read_json(body: bytes | None) -> Any:
    return json.loads(body or b"null")
