"""The HTTP client against a server on this machine that sends exactly the bytes of a test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from clients.errors import Temporary
from clients.http import Http

pytestmark = pytest.mark.contract


@contextmanager
def serving(answer: bytes) -> Iterator[str]:
    """Yield the URL of a server that sends these bytes to one client and then nothing more."""
    is_over = Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)
            is_over.wait()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            is_over.set()
            thread.join()


@pytest.mark.parametrize("location", [b"http://[", b"\xff\xfe", b"http://a:seven/", b""])
def test_a_redirect_is_refused_whatever_its_location(location: bytes) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"

    with serving(answer) as url, pytest.raises(Temporary, match="redirected with 302"):
        Http().call("GET", url)


def test_the_body_of_a_redirect_is_not_read() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 9\r\n\r\n"  # no body ever arrives

    with serving(answer) as url, pytest.raises(Temporary, match="redirected with 302"):
        Http().call("GET", url)
