"""api.xero.com: the gates every request passes, in Xero's order, and the work behind them."""

import asyncio
from functools import partial

from sandbox.faults import Fault
from sandbox.wire import TEXT, Answer, Call
from sandbox.work import work_among_faults
from sandbox.world import World
from sandbox.xero import errors, limits
from sandbox.xero.idempotency import KEY_MAX_CHARACTERS, Remembered
from sandbox.xero.scopes import scope_allows
from sandbox.xero.tenant import Tenant
from sandbox.xero_api.api import endpoint
from sandbox.xero_api.connections import connections
from sandbox.xero_api.visit import Visit

_API = "/api.xro/2.0/"
_KEYED_METHODS = ("POST", "PUT", "PATCH")


class XeroService:
    """Token, tenant, rate limits, idempotency, work."""

    def __init__(self, world: World) -> None:
        self._world = world

    def recognise(self, call: Call) -> None:
        """The tenant is the one the header names."""
        call.tenant = call.headers.get("xero-tenant-id", "").lower()

    def spoiled(self, fault: Fault) -> Answer:
        """A `status` fault in Xero's shapes."""
        return errors.spoiled(fault)

    async def answer(self, call: Call) -> Answer:
        """Answer one request to api.xero.com."""
        grant = self._authorize(call)
        if isinstance(grant, Answer):
            return grant
        client_id, user_id = grant
        if call.path.lower().startswith("/connections"):
            return await self._among_faults(call, partial(self._connections, call, user_id))
        link = self._world.office.link(user_id, call.tenant)
        if not call.path.lower().startswith(_API):
            return Answer(404, errors.NOT_FOUND_TEXT, TEXT)
        if link is None:
            return errors.forbidden()
        return await self._within_limits(call, client_id, link.tenant)

    def _authorize(self, call: Call) -> Answer | tuple[str, str]:
        """The app and the person behind the token, or a 401 in the gateway's words."""
        scheme, _, text = call.headers.get("Authorization", "").partition(" ")
        token = self._world.office.tokens.access(text) if scheme.lower() == "bearer" else None
        if token is None:
            return errors.unauthorized("AuthenticationUnsuccessful", self._world.ids.guid(), "Bearer")
        now_ms = self._world.clock.now_ms()
        if now_ms >= token.expires_ms:
            detail = errors.expired_detail(token.expires_ms)
            return errors.unauthorized(detail, self._world.ids.guid(), 'Bearer error="invalid_token"')
        if call.path.lower().startswith(_API) and not scope_allows(token.grant.scope, call.method, call.path):
            header = 'Bearer error="insufficient_scope"'
            return errors.unauthorized("AuthorizationUnsuccessful", self._world.ids.guid(), header)
        return token.grant.client_id, token.grant.subject

    async def _within_limits(self, call: Call, client_id: str, tenant: Tenant) -> Answer:
        world = self._world
        app = world.office.app_window
        problem = limits.problem(tenant.limits, app, world.settings, world.clock.now_ms())
        if problem is not None:
            call.concurrent = tenant.limits.in_progress + 1
            answer = errors.rate_limited(*problem)
        else:
            tenant.limits.in_progress += 1
            call.concurrent = tenant.limits.in_progress
            try:
                answer = await self._once(call, client_id, tenant)
            finally:
                tenant.limits.in_progress -= 1
        headers = {**answer.headers, **limits.headers(tenant.limits, app, world.settings)}
        return Answer(answer.status, answer.body, answer.content_type, headers)

    async def _once(self, call: Call, client_id: str, tenant: Tenant) -> Answer:
        """Do the work, or replay what its Idempotency-Key remembers."""
        if not call.key or call.method not in _KEYED_METHODS:
            return await self._work(call, tenant)
        if len(call.key) > KEY_MAX_CHARACTERS:
            text = f"Idempotency Key: {call.key} is {len(call.key)} characters long, the maximum is 128."
            return errors.key_refused(text)
        keys, now_ms = self._world.office.keys, self._world.clock.now_ms()
        known = keys.find(client_id, call.key, now_ms)
        if known is None:
            return await self._first(keys.begin(client_id, call, now_ms), call, tenant)
        if not known.is_same_request(call):
            return errors.key_refused(f"Idempotency Key: {call.key} is used with a different request.")
        if not known.answer.done() and self._world.settings.concurrent_keys == "both":
            return await self._work(call, tenant)
        return await asyncio.shield(known.answer)

    async def _first(self, remembered: Remembered, call: Call, tenant: Tenant) -> Answer:
        try:
            answer = await self._work(call, tenant)
        except BaseException:
            remembered.answer.set_result(Answer(500))
            raise
        remembered.answer.set_result(answer)
        return answer

    async def _work(self, call: Call, tenant: Tenant) -> Answer:
        return await self._among_faults(call, partial(self._visit, call, tenant))

    async def _among_faults(self, call: Call, work: partial[Answer]) -> Answer:
        settings = self._world.settings
        latency = settings.xero_read_latency if call.method == "GET" else settings.xero_write_latency
        return await work_among_faults(self._world.faults, call, latency, work, errors.spoiled)

    def _visit(self, call: Call, tenant: Tenant) -> Answer:
        visit = Visit(self._world, tenant, call, self._world.clock.now_ms())
        try:
            return endpoint(visit, call.path[len(_API) :])
        except errors.Refused as refused:
            answer = refused.answer
            answer.headers.setdefault("Xero-Correlation-Id", visit.guid())
            return answer

    def _connections(self, call: Call, user_id: str) -> Answer:
        return connections(self._world, call, user_id)
