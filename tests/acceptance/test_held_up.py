"""A process that was stopped between its decision and its socket sends nothing, not even once the headers are out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from clients.errors import TooLate
from clients.http import Http
from clients.steady import steady_seconds

pytestmark = pytest.mark.acceptance


class Listener:
    """Takes one connection, and every byte of it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/BankTransactions"
        self.received = bytearray()
        self._thread = Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            while some := connection.recv(65536):
                self.received += some
                if self.received.endswith(b"frozen"):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    def close(self) -> None:
        self._thread.join(100)
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def test_a_body_that_is_late_is_not_sent_though_its_headers_were(listener: Listener) -> None:
    with pytest.raises(TooLate):
        Http().call("PUT", listener.url, body=b"frozen", not_after=steady_seconds() - 1)

    listener.close()
    assert b"Content-Length: 6" in listener.received
    assert b"frozen" not in listener.received


def test_a_body_of_which_a_part_is_late_is_cut_short(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0])
    monkeypatch.setattr("clients.http.steady_seconds", lambda: next(times, 61.0))

    with pytest.raises(TooLate):
        Http().call("PUT", listener.url, body=b"x" * 100_000 + b"frozen", not_after=60)

    listener.close()
    assert b"Content-Length: 100006" in listener.received
    assert 0 < listener.received.count(b"x") < 100_000


def test_once_the_last_byte_has_left_it_is_never_too_late(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0])
    monkeypatch.setattr("clients.http.steady_seconds", lambda: next(times, 61.0))

    answer = Http().call("PUT", listener.url, body=b"frozen", not_after=60)

    assert answer.status == 200


def test_a_body_in_time_is_sent_whole(listener: Listener) -> None:
    answer = Http().call("PUT", listener.url, body=b"frozen", not_after=steady_seconds() + 60)

    assert (answer.status, answer.body) == (200, b"{}")
    assert listener.received.endswith(b"\r\n\r\nfrozen")
    assert b"chunked" not in listener.received
