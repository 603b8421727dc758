"""The proxy's own word, kept: what each lever does to a client that talks through it."""

from __future__ import annotations

import socket
import socketserver
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest

from tests.servers.processes import wait_until
from tests.servers.tcp_proxy import TcpProxy

SECONDS = 5.0
A_MOMENT = 0.2


class _Echo(socketserver.StreamRequestHandler):
    """Answers each line with itself, and writes it down."""

    heard: list[bytes]

    def handle(self) -> None:
        for line in self.rfile:
            self.heard.append(line)
            self.wfile.write(line)


@pytest.fixture
def heard() -> list[bytes]:
    """The lines that reached the server."""
    return []


@pytest.fixture
def proxy(heard: list[bytes]) -> Iterator[TcpProxy]:
    """A proxy in front of a server that echoes lines."""
    handler = type("Echo", (_Echo,), {"heard": heard})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        proxy = TcpProxy("127.0.0.1", server.server_address[1])
        yield proxy
        proxy.close()
        server.shutdown()
        thread.join()


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[socket.socket]:
    """Connected through the proxy, and served."""
    with connected(proxy) as client:
        assert said(client, b"hello\n") == b"hello\n"
        yield client


def connected(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection((proxy.host, proxy.port), timeout=SECONDS)


def said(client: socket.socket, line: bytes) -> bytes:
    client.sendall(line)
    return client.recv(100)


def is_over(client: socket.socket) -> bool:
    """Whether the connection ends without another byte."""
    with suppress(ConnectionError):
        return client.recv(100) == b""
    return True


def test_a_cut_resets_who_is_connected_and_serves_who_comes_next(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.cut()
    assert is_over(client)
    with connected(proxy) as other:
        assert said(other, b"and now\n") == b"and now\n"


def test_an_outage_lets_nobody_in_until_it_ends(proxy: TcpProxy, client: socket.socket) -> None:
    with proxy.outage(), connected(proxy) as other:
        assert is_over(other)
    with connected(proxy) as other:
        assert said(other, b"and now\n") == b"and now\n"


def test_a_stall_keeps_what_is_said_and_tells_nobody(
    proxy: TcpProxy, client: socket.socket, heard: list[bytes]
) -> None:
    with proxy.stall():
        client.settimeout(A_MOMENT)
        with pytest.raises(TimeoutError):
            said(client, b"late\n")
        assert heard == [b"hello\n"]
    client.settimeout(SECONDS)
    assert client.recv(100) == b"late\n"


def test_half_closed_the_client_reads_the_end_and_still_writes(
    proxy: TcpProxy, client: socket.socket, heard: list[bytes]
) -> None:
    proxy.half_close()
    assert client.recv(100) == b""
    client.sendall(b"one more\n")
    wait_until(lambda: heard[-1] == b"one more\n", seconds=SECONDS, what="the line to arrive")


def test_a_delay_holds_each_piece(proxy: TcpProxy, client: socket.socket) -> None:
    proxy.delay(2 * A_MOMENT)
    client.settimeout(A_MOMENT)
    with pytest.raises(TimeoutError):
        said(client, b"slow\n")
    client.settimeout(SECONDS)
    assert client.recv(100) == b"slow\n"


def test_a_lost_reply_is_to_a_request_that_arrived_and_happens_once(
    proxy: TcpProxy, client: socket.socket, heard: list[bytes]
) -> None:
    proxy.lose_reply(b"begin", b"COM", reply=b"MIT")
    assert said(client, b"COMMIT of another\n") == b"COMMIT of another\n"
    assert said(client, b"begin\n") == b"begin\n"
    client.sendall(b"COM")
    client.sendall(b"MIT\n")
    assert is_over(client)
    assert heard[-1] == b"COMMIT\n"
    assert proxy.lost_replies == 1
    with connected(proxy) as other:
        assert said(other, b"begin COMMIT\n") == b"begin COMMIT\n"


def test_a_reply_lost_silently_leaves_the_client_waiting(
    proxy: TcpProxy, client: socket.socket, heard: list[bytes]
) -> None:
    proxy.lose_reply(b"COMMIT", silently=True)
    client.settimeout(A_MOMENT)
    with pytest.raises(TimeoutError):
        said(client, b"COMMIT\n")
    assert heard[-1] == b"COMMIT\n"
    assert proxy.lost_replies == 1
