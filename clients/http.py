"""The only caller of `requests`: bounded in time and size, no redirects, no retries, one answer or one error."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from socket import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from clients.errors import Temporary, TooLarge, TooLate
from clients.steady import steady_seconds
from metrics import REQUEST_SECONDS, REQUESTS
from tracing import span

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CONNECT_SECONDS = 5
READ_SECONDS = 30
DRIP_SECONDS = 15  # how much longer an answer may take that arrives drop by drop
TOTAL_SECONDS = READ_SECONDS + DRIP_SECONDS  # the longest call: leases and replay waits build on it
BODY_BYTES = 32 * 1024 * 1024  # a page of 1,000 rows has one or two; a row of 10 beside them still fits
CHUNK_BYTES = 64 * 1024
OTHER = "other"  # a server that has no name among the peers
NO_ANSWER = "none"
POOL = 32  # connections kept to one host; more than the threads of a worker

_deadline: ContextVar[float] = ContextVar("deadline")  # of the call that this thread makes, in `time.monotonic()`


@dataclass(frozen=True)
class Answer:
    """What came back, whole. Header names are case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """One process's connections to other people's servers; safe to share between threads.

    `peers` names them for metrics and traces, by how their URLs begin; the longest beginning that fits counts.
    `read_seconds`: how long to wait for data from a peer, where that is not `READ_SECONDS`.
    """

    def __init__(self, peers: Mapping[str, str] | None = None, read_seconds: Mapping[str, float] | None = None) -> None:
        self._read_seconds = read_seconds or {}
        self._peers = sorted((peers or {}).items(), key=lambda peer: -len(peer[0]))
        self._session = _Session()
        self._session.trust_env = False  # no .netrc credentials, no proxies we did not choose
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.clear()
        adapter = HTTPAdapter(pool_connections=POOL, pool_maxsize=POOL, max_retries=0)
        adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        not_after: float = math.inf,
    ) -> Answer:
        """One request, one answer of any status below 300 or from 400 on.

        Raises Temporary when there is no whole answer within 45 seconds, or when it is a redirect; TooLarge when it has
        more than BODY_BYTES; TooLate when a part of the body would have left after `not_after`, in `steady_seconds()`,
        and so did not.
        """
        peer = self.peer_of(url)
        code, began = NO_ANSWER, time.monotonic()
        try:
            with span("call", method=method, peer=peer) as note:
                patience = self._read_seconds.get(peer, READ_SECONDS)
                answer = self._call(method, url, headers, params, body, not_after, patience)
                code = str(answer.status)
                note(status=answer.status)
                return answer
        finally:
            REQUESTS.labels(peer, code).inc()
            REQUEST_SECONDS.labels(peer).observe(time.monotonic() - began)

    def peer_of(self, url: str) -> str:
        """Who is behind a URL."""
        return next((name for beginning, name in self._peers if url.startswith(beginning)), OTHER)

    def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        body: bytes | None,
        not_after: float,
        read_seconds: float,
    ) -> Answer:
        what = f"{method} {urlsplit(url).path}"
        _deadline.set(time.monotonic() + read_seconds + DRIP_SECONDS)
        try:
            request = requests.Request(
                method,
                url,
                headers={"User-Agent": "qonto-xero-sync", **(headers or {})},
                params=params,
                data=body if math.isinf(not_after) else _Perishable(body or b"", what, not_after),
            ).prepare()  # by itself: the session has nothing to add
            with self._session.send(
                request, timeout=(CONNECT_SECONDS, read_seconds), allow_redirects=False, stream=True
            ) as response:
                if 300 <= response.status_code < 400:
                    raise Temporary(what, f"redirected with {response.status_code}, which is never followed")
                return Answer(response.status_code, response.headers, _whole_body(response, what))
        except (requests.RequestException, OSError) as error:
            raise Temporary(what, f"no answer: {type(error).__name__}") from error


class _Session(requests.Session):
    """A session that never resolves a redirect: requests would parse its Location and read its body."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, whatever Location the answer has."""


class _Receiver(io.RawIOBase):
    """The receiving side of a socket: each read waits as long as the socket would, and never past the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket, deadline: float) -> None:
        super().__init__()
        self._raw, self._socket, self._deadline = raw, sock, deadline
        self._timeout = sock.gettimeout() or READ_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._socket.settimeout(min(self._timeout, remaining))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """An HTTP response whose every byte, from the status line to the last trailer, arrives before the deadline."""

    def __init__(self, sock: socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Receiver(self.fp.detach(), sock, _deadline.get()))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Perishable(io.BytesIO):
    """A body whose bytes are read into the socket only until a moment; its end may be read at any time.

    A process may have been stopped after it decided to send. Once the last byte has left, nothing can be taken back.
    """

    def __init__(self, body: bytes, what: str, not_after: float) -> None:
        super().__init__(body)
        self._what, self._not_after = what, not_after
        self._length = len(body)

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() < self._length and steady_seconds() > self._not_after:
            raise TooLate(self._what, "this process was held up before it had sent the whole request")
        return super().read(size)


def _whole_body(response: requests.Response, what: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > BODY_BYTES:
            raise TooLarge(what, f"the answer is larger than {BODY_BYTES} bytes")
    return bytes(body)
