"""Who may ask at all: from our own pages, under our own name, and not too often."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from hmac import compare_digest
from threading import Lock
from urllib.parse import urlsplit

from web.visit import Visit

FROM_HERE = {"same-origin", "none"}  # Sec-Fetch-Site of our own forms, and of an address that somebody typed
MOST = 30  # of what costs a call or a row, an address and minute
MINUTE = 60.0
MOST_PEERS = 10_000  # whose pace is remembered at once


class Forged(Exception):
    """A form that is not of this session's own pages."""


class TooFast(Exception):
    """More from one address in a minute than people need."""


def check_origin(headers: Mapping[str, str], web_url: str) -> None:
    """Raises Forged for a form that another site sent, as far as the browser tells."""
    if headers.get("Sec-Fetch-Site", "none") not in FROM_HERE:
        raise Forged
    if headers.get("Origin", web_url) != web_url:
        raise Forged


def check_form(visit: Visit) -> None:
    """Raises Forged for a form that does not carry the token of the session's own pages. Nobody's has none to guard."""
    if visit.is_signed_in and not compare_digest(
        visit.form.get("form_token", "").encode(), visit.form_token().encode()
    ):
        raise Forged


def peer_of(remote: str | None, forwarded: str, proxies: int) -> str:
    """Where a request comes from: what the outermost of our own proxies saw, and nothing that a client made up."""
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    return hops[-proxies] if 0 < proxies <= len(hops) else remote or ""


def origin_of(url: str) -> str:
    """Scheme, host and port, as a browser names where something comes from."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Pace:
    """Counts what each address asks for in the last minute, `most` times at most. Any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def check(self, peer: str) -> None:
        """Count one more. Raises TooFast."""
        now = time.monotonic()
        with self._lock:
            times = self._times.setdefault(peer, deque())
            self._times.move_to_end(peer)
            while times and times[0] <= now - MINUTE:
                times.popleft()
            if len(times) >= self._most:
                raise TooFast
            times.append(now)
            if len(self._times) > MOST_PEERS:
                self._times.popitem(last=False)
