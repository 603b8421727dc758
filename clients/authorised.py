"""One refresh, one retry: calls under an access token that may expire between two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from clients.errors import AccessExpired, Refused
from settings import Secret

Result = TypeVar("Result")


class TokenSource(Protocol):
    """Where a client gets the secret for its Authorization header. `is_accepted`: the other side has taken one."""

    is_accepted: bool

    def current(self) -> Secret:
        """The secret to use now."""

    def renew(self, refused: Secret) -> Secret:
        """Another one, because `refused` was refused. Raises Refused when there is none, Reconnect when there can be
        none.
        """

    def revoke(self) -> None:
        """End the whole authorisation at the other side. Raises Temporary; Reconnect when there is none any more."""


def with_token(tokens: TokenSource, call: Callable[[Secret], Result]) -> Result:
    """Return what `call` does with the current token or, if that has expired, with a new one.

    Raises Refused when the new one is not accepted either.
    """
    token = tokens.current()
    try:
        result = call(token)
    except AccessExpired:
        result = _call_again(tokens.renew(token), call)
    tokens.is_accepted = True
    return result


def _call_again(token: Secret, call: Callable[[Secret], Result]) -> Result:
    try:
        return call(token)
    except AccessExpired as error:
        raise Refused(error.call, f"refused with a fresh token too: {error.problem}") from error
