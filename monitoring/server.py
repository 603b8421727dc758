"""A small HTTP server on threads of its own: four addresses, GET only, bounded in number, time and size."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Any

from settings import Address

log = logging.getLogger(__name__)

MOST_AT_ONCE = 16  # connections; who comes beyond them is turned away
SILENCE_SECONDS = 5.0  # that somebody may leave us waiting for
WHOLE_SECONDS = 10.0  # from coming to going, however slowly somebody speaks
POLL_SECONDS = 0.5  # how soon an order to stop, and a connection that is too old, is seen


@dataclass(frozen=True)
class Shown:
    """What an address answers."""

    status: int
    content_type: str
    body: bytes


def as_json(content: Mapping[str, Any], *, fine: bool) -> Shown:
    """An object, with 200, or with 503 if something is wrong."""
    return Shown(200 if fine else 503, "application/json", json.dumps(content).encode() + b"\n")


Views = Mapping[str, Callable[[], Shown]]


class _Handler(BaseHTTPRequestHandler):
    """One request a connection. It is not logged, and what goes wrong is not shown."""

    timeout = SILENCE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        view = self.server.views.get(self.path.partition("?")[0])
        if view is None:
            self.send_error(404)
            return
        try:
            shown = view()
        except Exception:
            log.exception("what the monitor was asked for could not be told")
            self.send_error(500)
        else:
            self._send(shown)

    def send_error(self, code: int, *_: object) -> None:
        """A status, and no word of what was asked. Of a method other than GET, http.server says 501."""
        self._send(Shown(405 if code == 501 else code, "text/plain", b""))

    def _send(self, shown: Shown) -> None:
        self.send_response(shown.status)
        self.send_header("Content-Type", shown.content_type)
        self.send_header("Content-Length", str(len(shown.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if shown.status == 405:
            self.send_header("Allow", "GET")
        self.end_headers()
        self.wfile.write(shown.body)

    def version_string(self) -> str:
        return "qonto-xero"

    def log_message(self, *_: object) -> None:
        """Nothing: somebody asks every few seconds."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = MOST_AT_ONCE

    def __init__(self, address: Address, views: Views) -> None:
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.views = views
        self._open: dict[socket.socket, float] = {}
        super().__init__((address.host, address.port), _Handler)

    def server_bind(self) -> None:
        """Without looking for the host's name, as http.server would."""
        TCPServer.server_bind(self)

    def verify_request(self, request: Any, _client: object) -> bool:
        if len(self._open) >= MOST_AT_ONCE:
            return False
        self._open[request] = time.monotonic()
        return True

    def close_request(self, request: Any) -> None:
        self._open.pop(request, None)
        super().close_request(request)

    def service_actions(self) -> None:
        """End what is too old, whatever it still waits for."""
        for request, since in list(self._open.items()):
            if time.monotonic() - since > WHOLE_SECONDS:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """Nothing: whoever asked has gone away, or spoke nonsense."""


def serving(address: Address, views: Views) -> AbstractContextManager[str]:
    """Listens at once, or raises OSError; inside the block `views` are served, at the URL that it gives and logs."""
    return _serving(_Server(address, views))


@contextmanager
def _serving(server: _Server) -> Iterator[str]:
    host, port = str(server.server_address[0]), server.server_address[1]
    with server:
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        log.info("how this process is: %s/readyz", url)
        Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="monitor", daemon=True).start()
        try:
            yield url
        finally:
            server.shutdown()
