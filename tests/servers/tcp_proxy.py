"""A TCP connection with a bad day: cut, stalled, half closed, slow, or robbed of one reply."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any, TypeVar

CHUNK_BYTES = 64 * 1024
ANSWER_SECONDS = 10

T = TypeVar("T")


class _Link:
    """One connection through the proxy: towards its client, and towards the server."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.matched = 0  # how many of the patterns have been seen on it, in their order
        self.unmatched = b""
        self.loses_reply = False
        self.is_deaf = False

    def abort(self) -> None:
        """Reset both sides, with whatever was still to be written."""
        self.client.transport.abort()
        self.server.transport.abort()


class TcpProxy:
    """Listens on a free port of loopback and passes everything on to `host:port`, until it is told otherwise.

    Its methods may be called from any thread and return when what they say has happened.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._links: set[_Link] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._patterns: tuple[bytes, ...] = ()
        self._refuses = False
        self._reply, self._silently = b"", False
        self._delay_seconds = 0.0
        self.lost_replies = 0
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="tcp proxy", daemon=True)
        self._thread.start()
        self._flowing, self._server = self._do(self._listen())
        self.host, self.port = self._server.sockets[0].getsockname()[:2]

    def cut(self) -> None:
        """Reset every connection there is; new ones are served."""
        self._do(self._cut())

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Every connection is reset, and new ones too, inside the block."""
        self._refuses = True
        self.cut()
        try:
            yield
        finally:
            self._refuses = False

    @contextmanager
    def stall(self) -> Iterator[None]:
        """A black hole in both directions inside the block: nobody is told anything, not even that it ended."""
        self._loop.call_soon_threadsafe(self._flowing.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flowing.set)

    def half_close(self) -> None:
        """Every client reads the end of its stream, while what it writes still arrives."""
        self._do(self._half_close())

    def delay(self, seconds: float) -> None:
        """Hold each piece for so long, in both directions."""
        self._delay_seconds = seconds

    def lose_reply(self, *patterns: bytes, reply: bytes = b"", silently: bool = False) -> None:
        """Let one request through and drop its reply with the connection: the first after all `patterns` in order.

        They must pass on one connection, from client to server; the reply is the first that has `reply` in it.
        `lost_replies` counts. `silently` keeps the connection, on which its client then hears nothing more.
        """
        self._do(self._rob(patterns, reply, silently))

    def heal(self) -> None:
        """Pass everything on again. What was cut stays cut."""
        self._refuses = False
        self._delay_seconds = 0.0
        self.lose_reply()
        self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        """Stop listening and reset everything."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_SECONDS)
        self._loop.close()

    def _do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(ANSWER_SECONDS)

    async def _listen(self) -> tuple[asyncio.Event, asyncio.Server]:
        flowing = asyncio.Event()
        flowing.set()
        return flowing, await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _cut(self) -> None:
        for link in self._links:
            link.abort()

    async def _half_close(self) -> None:
        for link in self._links:
            link.client.write_eof()

    async def _rob(self, patterns: tuple[bytes, ...], reply: bytes, silently: bool) -> None:
        self._patterns, self._reply, self._silently = patterns, reply, silently
        for link in self._links:
            link.matched, link.unmatched, link.loses_reply = 0, b"", False

    async def _close(self) -> None:
        self._server.close()
        await self._cut()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            writer.transport.abort()
            return
        try:
            from_server, to_server = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, to_server)
        self._links.add(link)
        pumps = [
            self._loop.create_task(self._pump(link, reader, to_server)),
            self._loop.create_task(self._pump(link, from_server, writer)),
        ]
        self._pumps.update(pumps)
        await asyncio.gather(*pumps, return_exceptions=True)
        self._pumps.difference_update(pumps)
        self._links.discard(link)
        link.abort()

    async def _pump(self, link: _Link, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK_BYTES):
                if self._delay_seconds:
                    await asyncio.sleep(self._delay_seconds)
                await self._flowing.wait()
                if target is link.server:
                    self._watch(link, data)
                elif link.is_deaf or (link.loses_reply and self._reply in data):
                    self._lose(link)
                    continue
                target.write(data)
                await target.drain()
            await self._flowing.wait()
        link.abort()

    def _lose(self, link: _Link) -> None:
        """Once, whatever passes on the other connections."""
        self.lost_replies += not link.is_deaf
        self._patterns, link.is_deaf = (), True
        if not self._silently:
            link.abort()

    def _watch(self, link: _Link, data: bytes) -> None:
        """Look for the patterns; one may be split over two pieces."""
        link.unmatched += data
        while link.matched < len(self._patterns):
            pattern = self._patterns[link.matched]
            before, found, after = link.unmatched.partition(pattern)
            if not found:
                link.unmatched = before[-len(pattern) :]
                return
            link.unmatched, link.matched = after, link.matched + 1
        link.unmatched = b""
        link.loses_reply = bool(self._patterns)
