"""Who may see the night: whoever knows the password, under any name, which the log keeps."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hmac import compare_digest

from domain.text import single_line
from settings import Secret
from web.guard import Pace

WRONG_TRIES = 10  # a minute and address
NAME_LENGTH = 60
CHALLENGE = {"WWW-Authenticate": 'Basic realm="operations", charset="UTF-8"'}


class NotLetIn(Exception):
    """No login, or a wrong one."""


class Login:
    """Asks everybody for the password (RFC 7617). Any thread."""

    def __init__(self, password: Secret) -> None:
        self._password = password
        self._pace = Pace(WRONG_TRIES)

    def check(self, headers: Mapping[str, str], peer: str) -> str:
        """The name of whoever asks. Raises NotLetIn, or TooFast after too many wrong tries of an address.

        Who knows the password is let in all the same: whoever tries others must not lock out those who run the night.
        """
        name, password = _given(headers.get("Authorization", ""))
        if not self._is_right(password) or not name:
            self._pace.check(peer)
            raise NotLetIn
        return "***" if self._password.reveal() in name else name

    def _is_right(self, password: str) -> bool:
        return bool(self._password) and compare_digest(password.encode(), self._password.reveal().encode())


def _given(authorization: str) -> tuple[str, str]:
    """Name and password. Raises NotLetIn for what is neither: a browser that has not been asked yet says nothing."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise NotLetIn
    try:
        told = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError as error:
        raise NotLetIn from error
    name, _, password = told.partition(":")
    return single_line(name, NAME_LENGTH), password
