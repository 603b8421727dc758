"""A server between us and Xero that spoils what is asked or answered, in ways that the world has no fault for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import requests

from tests.faults.rig import FaultyCompany
from tests.sandbox.world_client import WorldClient

UPSTREAM_SECONDS = 20
HOP_BY_HOP = {"host", "content-length", "transfer-encoding", "connection", "content-encoding"}


@dataclass(frozen=True)
class Spoilt:
    """An answer as it leaves the server in between."""

    status: int
    headers: dict[str, str]
    body: bytes
    lacking: int = 0  # bytes at its end that are announced and never come


Answer = Callable[[Spoilt], Spoilt]
Ask = Callable[[bytes], bytes]


class Meddler(ThreadingHTTPServer):
    """Passes requests on to Xero, and may change how a tenant's transactions are written, or what Xero answers."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Between)
        self.upstream = upstream
        self.asks: dict[str, Ask] = {}  # for each writing of this tenant
        self.answers: dict[str, Answer] = {}  # for the next one only

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Between(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Meddler

    def do_GET(self) -> None:
        self._reply(self._ask(self._body()))

    def do_PUT(self) -> None:
        body = self._body()
        if not self.path.partition("?")[0].endswith("/BankTransactions"):
            return self._reply(self._ask(body))
        tenant = self.headers["xero-tenant-id"]
        answer = self._ask(self.server.asks.get(tenant, bytes)(body))
        return self._reply(self.server.answers.pop(tenant, _unchanged)(answer))

    def do_POST(self) -> None:
        self.do_GET()

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _ask(self, body: bytes) -> Spoilt:
        url = self.server.upstream + self.path
        headers = _without_framing(dict(self.headers.items()))
        answer = requests.request(self.command, url, data=body, headers=headers, timeout=UPSTREAM_SECONDS)
        return Spoilt(answer.status_code, dict(answer.headers), answer.content)

    def _reply(self, spoilt: Spoilt) -> None:
        self.send_response(spoilt.status)
        for name, value in (_without_framing(spoilt.headers) | {"Content-Length": str(len(spoilt.body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(spoilt.body[: len(spoilt.body) - spoilt.lacking])
        self.close_connection = spoilt.lacking > 0

    def log_message(self, *_: Any) -> None:
        """Nothing: the world keeps the log."""


def _unchanged(told: Spoilt) -> Spoilt:
    return told


def _without_framing(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}


@contextmanager
def between(company: FaultyCompany, town: WorldClient) -> Iterator[Meddler]:
    """The company's processes reach Xero through a server that can meddle."""
    with Meddler(f"{town.url}/xero") as meddler:
        Thread(target=meddler.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        company.routes["XERO_API_URL"] = meddler.url
        try:
            yield meddler
        finally:
            company.routes.pop("XERO_API_URL")
            meddler.shutdown()


def without_contact(ids: set[str]) -> Ask:
    """A request in which the rows of these transactions name no contact, which Xero refuses."""

    def change(body: bytes) -> bytes:
        told = json.loads(body)
        for row in told["BankTransactions"]:
            if row["Url"].rsplit("/", 1)[-1] in ids:
                row.pop("Contact", None)
        return json.dumps(told).encode()

    return change
