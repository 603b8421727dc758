"""Putting an answer on the wire, whole or spoiled."""

import asyncio
import socket
import struct

from aiohttp import web
from aiohttp.web_request import BaseRequest

from sandbox.wire import JSON, Answer, Spoiler

_HUGE_BYTES = 50 * 1024 * 1024
_GARBAGE = b'{"Id":"7b\x00\xff <html><body>not what you hoped for'
_LINGER_ZERO = struct.pack("ii", 1, 0)
_PIECE = b" " * (1024 * 1024)


async def deliver(request: BaseRequest, answer: Answer) -> web.StreamResponse:
    """Send an answer, or what its fault makes of it."""
    if answer.fault is not None:
        return await _spoil(request, answer, answer.fault)
    return _response(answer)


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type, **answer.headers}
    return web.Response(status=answer.status, body=answer.body, headers=headers)


async def _spoil(request: BaseRequest, answer: Answer, fault: Spoiler) -> web.StreamResponse:
    match fault.spec.action:
        case "drop":
            _close(request)
        case "reset":
            _reset(request)
        case "truncated":
            _truncate(request, answer)
        case "garbage":
            return _response(Answer(200, _GARBAGE, JSON))
        case "redirect":
            return web.Response(status=302, headers={"Location": fault.spec.location or "/elsewhere"})
        case "huge":
            return await _send_huge(request)
        case _:
            return _response(answer)
    return web.Response()


def _close(request: BaseRequest) -> None:
    if request.transport is not None:
        request.transport.close()


def _reset(request: BaseRequest) -> None:
    """Close so that the peer gets an RST: no lingering, nothing flushed."""
    transport = request.transport
    if transport is None:
        return
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()


def _truncate(request: BaseRequest, answer: Answer) -> None:
    transport = request.transport
    if not isinstance(transport, asyncio.WriteTransport):
        return
    body = answer.body[: max(1, len(answer.body) // 2)]
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nContent-Length: {len(answer.body) + 1024}\r\n\r\n"
    transport.write(head.encode() + body)
    transport.close()


async def _send_huge(request: BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": JSON, "Content-Length": str(_HUGE_BYTES)})
    await response.prepare(request)
    for _ in range(_HUGE_BYTES // len(_PIECE)):
        await response.write(_PIECE)
    return response
