"""One port, three services, one handler."""

import asyncio
import gc
import signal
from asyncio import AbstractEventLoop
from typing import Any

from aiohttp import web
from aiohttp.web_request import BaseRequest

from sandbox.control.router import Control
from sandbox.core.broker import Broker
from sandbox.fault_spec import Stage
from sandbox.instants import parse_instant
from sandbox.qonto_api.service import QontoService
from sandbox.service import Service
from sandbox.transport import deliver
from sandbox.wire import TEXT, Answer, Call
from sandbox.work import deliver_among_faults
from sandbox.world import World
from sandbox.xero_api.identity_service import IdentityService
from sandbox.xero_api.service import XeroService

_MAX_BODY_BYTES = 12 * 1024 * 1024
# Everything here is kept for good: frequent full collections find nothing and cost 150 ms each in a big world.
_GC_THRESHOLDS = (50_000, 50, 1_000)


class Server:
    """Reads requests, finds their service, sends what it answers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._control = Control(world)
        self._services: dict[str, Service] = {
            "xero": XeroService(world),
            "identity": IdentityService(world),
            "qonto": QontoService(world),
        }

    async def handle(self, request: BaseRequest) -> web.StreamResponse:
        """aiohttp's entry: one request in, one response out."""
        try:
            body = await request.read() if request.can_read_body else b""
        except ConnectionError:  # the caller died while it spoke: nobody is left to be answered
            return web.Response(status=400)
        target, _, query = request.raw_path.partition("?")
        prefix, _, path = target[1:].partition("/")
        call = Call(prefix, request.method, "/" + path, query, request.headers, body, request.remote or "")
        if prefix == "control":
            return await deliver(request, self._control.answer(call))
        service = self._services.get(prefix)
        if service is None:
            return await deliver(request, Answer(404, b"No service of this world has this address.", TEXT))
        return await deliver(request, await self._serve(service, call))

    async def _serve(self, service: Service, call: Call) -> Answer:
        """Let a service answer one logged request among the faults at its gate and at delivery."""
        world = self._world
        service.recognise(call)
        world.requests.begin(call, world.clock.now_ms())
        answer = Answer(500)
        try:
            answer = await self._among_faults(service, call)
        finally:
            world.requests.end(call, answer, world.settings.log_limit, world.settings.log_bodies)
        return answer

    async def _among_faults(self, service: Service, call: Call) -> Answer:
        faults = self._world.faults
        nothing = Answer(200, b"{}")
        at_gate = await deliver_among_faults(faults, Stage.GATE, call, nothing, service.spoiled)
        if at_gate is not nothing:
            return at_gate
        answer = await service.answer(call)
        return await deliver_among_faults(faults, Stage.DELIVERY, call, answer, service.spoiled)


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    latency: float = 0.0,
    frozen_at: str | None = None,
    seed: int | None = None,
    events_broker: str | None = None,
    events_key_id: str | None = None,
    events_key: bytes | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; say on stdout where, once it listens.

    `latency` is what every request takes, in seconds; `frozen_at` an ISO time at which the clock stands still.
    `events_broker` is the amqp:// URL to which Qonto's core publishes, signed when both the key and its id are given.
    Raises ValueError, which does not quote it, when the URL is none of RabbitMQ.
    """
    world = World(latency, parse_instant(frozen_at) if frozen_at else None, seed)
    world.core.key_id, world.core.key = events_key_id, events_key
    if events_broker is not None:
        world.core.lead_to(Broker(events_broker))
    asyncio.run(_run(world, host, port))


async def _run(world: World, host: str, port: int) -> None:
    gc.set_threshold(*_GC_THRESHOLDS)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = web.Server(Server(world).handle, request_factory=_request_factory(loop))
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1024, shutdown_timeout=1.0)
    await site.start()
    bound_host, bound_port = runner.addresses[0][:2]
    print(f"sandbox ready on http://{bound_host}:{bound_port}", flush=True)  # noqa: T201 - whoever starts the process waits for this line
    await stop.wait()
    for fault in world.faults.all():
        world.faults.remove(fault)
    await runner.cleanup()


def _request_factory(loop: AbstractEventLoop) -> Any:
    """aiohttp's own requests, with room for Xero's largest bodies."""

    def make(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> BaseRequest:
        return BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_MAX_BODY_BYTES)

    return make
