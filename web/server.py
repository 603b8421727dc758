"""The HTTP server of a site: reads a request whole, lets a thread answer it, sends what comes of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Generic
from uuid import uuid4

from aiohttp import web

from domain.text import storable
from metrics import PAGE_REQUESTS, PAGE_SECONDS
from tracing import span
from web.exchange import Asked, P, Served, Told
from web.guard import peer_of
from web.headers import STATIC

log = logging.getLogger(__name__)

THREADS = 8
MOST_BYTES = 16 * 1024  # of a form of ours
FORM = "application/x-www-form-urlencoded"
METHODS, OTHER_METHOD = {"GET", "HEAD", "POST"}, "other"
NO_ROUTE = "none"
GONE = "none"  # whoever asked did not wait for an answer
POLL_SECONDS = 0.2
SHUTDOWN_SECONDS = 10.0  # for what is being answered
FILES = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Server(Generic[P]):
    """Serves a site on one port. `proxies` of ours stand before it."""

    def __init__(self, site: Served[P], proxies: int = 0) -> None:
        self._site = site
        self._proxies = proxies
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="page")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._files = {path.name: (path.read_bytes(), TYPES[path.suffix]) for path in FILES.iterdir()}

    def run(self, host: str, port: int, stop: Event, ready: Event | None = None) -> None:
        """Serve until `stop` is set; `ready` is set once it listens. Raises OSError when it cannot listen."""
        asyncio.run(self._run(host, port, stop, ready))

    def why_not_working(self) -> str:
        """Why no request is answered; empty when its loop turns. For another thread, which hangs if the loop does."""
        if self._loop is None or self._loop.is_closed():
            return f"{self._site.name} is not being served"
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result()
        return ""

    async def _run(self, host: str, port: int, stop: Event, ready: Event | None) -> None:
        app = web.Application(middlewares=[_measured, self._answer_everything], client_max_size=MOST_BYTES)
        for route in self._site.routes:
            app.router.add_route(route.method, route.path, self._handler(route))
        app.router.add_get("/static/{name}", self._file)
        # aiohttp's access log would hold OAuth's codes.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        log.info("%s listens on %s:%s", self._site.name, host, port)
        self._loop = asyncio.get_running_loop()
        if ready is not None:
            ready.set()
        while not stop.is_set():
            await asyncio.sleep(POLL_SECONDS)
        await runner.cleanup()
        self._threads.shutdown()

    def _handler(self, route: P) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, route, await _form(request) if request.method == "POST" else {})

        return handle

    async def _serve(
        self, request: web.Request, route: P | None, form: Mapping[str, str], status: int = 404
    ) -> web.StreamResponse:
        asked = Asked(
            route=route,
            path=request.path,
            headers=request.headers,
            cookies=_storable(request.cookies),
            query=_storable(request.query),
            form=form,
            peer=peer_of(request.remote, ",".join(request.headers.getall("X-Forwarded-For", [])), self._proxies),
            reference=uuid4().hex,
            status=status,
        )
        serve = partial(copy_context().run, self._site.serve, asked)  # its calls belong to this request's span
        told = await asyncio.get_running_loop().run_in_executor(self._threads, serve)
        return _response(told)

    @web.middleware
    async def _answer_everything(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """What aiohttp refuses by itself is told on a page of ours too. Under another name than ours, nothing is."""
        if not self._site.goes_by(request.host):
            return web.Response(status=421, text="Nothing is served under this name.", headers=self._site.headers)
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPException as error:
            response = await self._serve(request, None, {}, error.status)
            if isinstance(error, web.HTTPMethodNotAllowed):
                response.headers["Allow"] = error.headers["Allow"]
        return response

    async def _file(self, request: web.Request) -> web.StreamResponse:
        found = self._files.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        body, content_type = found
        headers = {**self._site.headers, "Content-Type": content_type, "Cache-Control": STATIC}
        return web.Response(body=body, headers=headers)


@web.middleware
async def _measured(request: web.Request, handler: Any) -> web.StreamResponse:
    """Counts, times and traces each answer under the template of its route: paths and methods can be made up."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource else NO_ROUTE
    method = request.method if request.method in METHODS else OTHER_METHOD
    code, began = GONE, time.monotonic()
    try:
        with span("page", route=route, method=method) as note:
            response: web.StreamResponse = await handler(request)
            code = str(response.status)
            note(status=response.status)
            return response
    finally:
        PAGE_REQUESTS.labels(route, method, code).inc()
        PAGE_SECONDS.labels(route).observe(time.monotonic() - began)


async def _form(request: web.Request) -> Mapping[str, str]:
    """What a form says. Raises what aiohttp does of one that is too large, and 415 for what is none of ours."""
    if request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType
    try:
        form = await request.post()
    except (LookupError, ValueError) as error:
        raise web.HTTPBadRequest from error
    return _storable({name: value for name, value in form.items() if isinstance(value, str)})


def _storable(texts: Mapping[str, str]) -> dict[str, str]:
    """As a database can look for them, whatever bytes came."""
    return {name: storable(text) for name, text in texts.items()}


def _response(told: Told) -> web.Response:
    response = web.Response(status=told.status, body=told.body.encode(), headers=told.headers)
    for name, value in told.cookies.items():
        age = None if value else 0
        response.set_cookie(name, value, max_age=age, secure=True, httponly=True, samesite="Lax", path="/")
    return response
