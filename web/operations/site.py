"""One request to one answer: login, figures, HTML. Blocking, and run by a thread of its own."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from clients.clock import Clock
from log_context import logging_with
from models.database import DATABASE_OUTAGE
from settings import Secret
from web.exchange import Asked, Place, Told
from web.guard import TooFast
from web.headers import operators_policy, security_headers
from web.operations.figures import Look
from web.operations.login import CHALLENGE, Login, NotLetIn
from web.operations.overview import facts
from web.operations.words import counted, day, number, share, short_day, span
from web.rendering import Templates

log = logging.getLogger(__name__)

PAGES = Path(__file__).parent.parent / "pages" / "operations"
FILTERS: dict[str, Callable[..., str]] = {
    "number": number,
    "counted": counted,
    "share": share,
    "span": span,
    "day": day,
    "short_day": short_day,
}
OVERVIEW = Place("GET", "/")
STILL = "still"  # in a query: do not look anew
AGAIN_SECONDS = 30
PORT = re.compile(r":[0-9]+$")
HTML = "text/html; charset=utf-8"


class OperationsSite:
    """Made once a process, and used by all its threads. `host` is the address that it listens on."""

    name = "the operations page"
    routes = (OVERVIEW,)

    def __init__(self, clock: Clock, password: Secret, host: str) -> None:
        self._look = Look(clock)
        self._login = Login(password)
        self._is_local = _is_local(host)
        self._templates = Templates(PAGES, FILTERS)
        self.headers = security_headers(operators_policy())

    def goes_by(self, host: str) -> bool:
        """On loopback only by its names, through a tunnel's port too: no other site's name may be led here.

        Elsewhere it is called what its people call it, and the login is what guards it.
        """
        return not self._is_local or _is_local(PORT.sub("", host))

    def serve(self, asked: Asked[Place]) -> Told:
        """Answer, whatever happens."""
        with logging_with(request_id=asked.reference):
            try:
                who = self._login.check(asked.headers, asked.peer)
                log.info("%s looks at %s", who, asked.path)
                told = self._overview(asked) if asked.route else self._refused(asked.status)
            except NotLetIn:
                if asked.headers.get("Authorization"):  # a browser that was not asked yet says nothing
                    log.warning("somebody at %s was not let in to the operations page", asked.peer)
                told = self._refused(401, CHALLENGE)
            except TooFast:
                told = self._refused(429, {"Retry-After": "60"})
            except DATABASE_OUTAGE:
                log.warning("the operations page cannot read the database")
                told = self._refused(503, _again(asked))
            except Exception:
                log.exception("the operations page failed")
                told = self._refused(500, _again(asked))
        told.headers["X-Request-Id"] = asked.reference
        return told

    def _overview(self, asked: Asked[Place]) -> Told:
        again = _again(asked)
        told = {**facts(self._look.newest()), "again": AGAIN_SECONDS if again else 0}
        body = self._templates.render("night.html", told)
        return Told(200, {**self.headers, "Content-Type": HTML, **again}, body)

    def _refused(self, status: int, more: dict[str, str] | None = None) -> Told:
        body = self._templates.render("refused.html", {"status": status})
        return Told(status, {**self.headers, "Content-Type": HTML, **(more or {})}, body)


def _again(asked: Asked[Place]) -> dict[str, str]:
    """The browser looks anew by itself, unless its person wants the page to keep still."""
    return {} if STILL in asked.query else {"Refresh": str(AGAIN_SECONDS)}


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
