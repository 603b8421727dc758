"""The HTTP client against a server on this machine that sends exactly the bytes of a test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import sleep

import pytest

from clients.errors import Temporary
from clients.http import Http

pytestmark = pytest.mark.contract

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PATIENCE_SECONDS = 0.6  # of the client
DRIP_SECONDS = 0.02  # between two bytes
DRIP = b"a" * 100  # takes longer than the client's patience on any machine


@contextmanager
def serving(answer: bytes, drip: bytes = b"", end: bytes = b"") -> Iterator[str]:
    """Yield the URL of a server that sends one client an answer, a drip byte by byte, an end, and then nothing more."""
    is_over = Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)
            with suppress(OSError):  # the client hung up
                for byte in drip:
                    connection.sendall(bytes([byte]))
                    sleep(DRIP_SECONDS)
                connection.sendall(end)
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


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (b"HTTP/1.1 200 ", b"\r\nContent-Length: 0\r\n\r\n"),
        (OK + b"X-Long: ", b"\r\nContent-Length: 0\r\n\r\n"),
        (OK + b"Content-Length: 100\r\n\r\n", b""),
        (OK + b"Connection: close\r\nContent-Length: 100\r\n\r\n", b""),
        (CHUNKED + b"1;", b"\r\na\r\n0\r\n\r\n"),
        (CHUNKED + b"64\r\n", b"\r\n0\r\n\r\n"),
        (CHUNKED + b"0\r\n", b"\r\n\r\n"),
    ],
    ids=["the status line", "a header", "a body", "a last body", "a chunk's length", "a chunk", "a trailer"],
)
def test_an_answer_that_drips_is_given_up_wherever_it_drips(
    begin: bytes, end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.http.DRIP_SECONDS", 0)

    with serving(begin, DRIP, end) as url:
        http = Http({url: "peer"}, {"peer": PATIENCE_SECONDS})
        with pytest.raises(Temporary, match="no answer: "):
            http.call("GET", url)
