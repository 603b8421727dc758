"""One refresh, one retry: calls under an access token that may expire between two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from clients.errors import AccessExpired, Reconnect
from settings import Secret

Result = TypeVar("Result")


class TokenSource(Protocol):
    """Where a client gets the secret for its Authorization header."""

    def current(self) -> Secret:
        """The secret to use now."""

    def renew(self, refused: Secret) -> Secret:
        """Another one, because `refused` was refused. Raises Reconnect when there can be none."""

    def revoke(self) -> None:
        """End the whole authorisation at the other side. Raises Temporary; Reconnect when there is none any more."""


def with_token(tokens: TokenSource, call: Callable[[Secret], Result]) -> Result:
    """`call` with the current token; if that has expired, once more with a new one, and then Reconnect."""
    token = tokens.current()
    try:
        return call(token)
    except AccessExpired:
        token = tokens.renew(token)
    try:
        return call(token)
    except AccessExpired as error:
        raise Reconnect(error.call, f"refused with a fresh token too: {error.problem}") from error
