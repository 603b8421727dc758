"""thirdparty.qonto.com and oauth.qonto.com."""

from functools import partial

from sandbox.faults import Fault
from sandbox.qonto import errors
from sandbox.qonto_api import sign_in, token_endpoint
from sandbox.qonto_api.callers import Caller, find_caller
from sandbox.qonto_api.reads import read
from sandbox.wire import Answer, Call
from sandbox.work import work_among_faults
from sandbox.world import World

_OAUTH = {
    "/oauth2/auth": sign_in.authorize,
    "/oauth2/token": token_endpoint.token,
    "/oauth2/revoke": token_endpoint.revoke,
}


class QontoService:
    """Token or key first, then one organisation's data."""

    def __init__(self, world: World) -> None:
        self._world = world

    def recognise(self, call: Call) -> None:
        """The tenant of a Qonto call is its organisation."""
        caller = find_caller(self._world, call.headers.get("Authorization", ""))
        call.tenant = caller.organisation.id if caller is not None else ""

    def spoiled(self, fault: Fault) -> Answer:
        """A `status` fault in Qonto's shape."""
        return errors.spoiled(fault)

    async def answer(self, call: Call) -> Answer:
        """Answer one request to Qonto."""
        latency = self._world.settings.qonto_latency
        return await work_among_faults(self._world.faults, call, latency, partial(self._work, call), errors.spoiled)

    def _work(self, call: Call) -> Answer:
        try:
            if call.path in _OAUTH:
                return _OAUTH[call.path](self._world, call)
            self._check_quota(call)
            return read(self._world, call, self._authorize(call))
        except errors.Refused as refused:
            return refused.answer

    def _check_quota(self, call: Call) -> None:
        if self._world.settings.qonto_rate_limits:
            seconds = self._world.bank.quota.retry_after_s(call.peer, self._world.clock.now_ms())
            if seconds is not None:
                raise errors.Refused(Answer(429, b"", headers={"Retry-After": str(seconds)}))

    def _authorize(self, call: Call) -> Caller:
        """Who is behind `login:secret` or a living bearer token. Raises Refused."""
        if not call.headers.get("Authorization"):
            raise errors.refused(401, "authorization_header_missing", "The Authorization header is missing")
        caller = find_caller(self._world, call.headers["Authorization"])
        if caller is None:
            raise errors.refused(401, "authorization_token_invalid", "The token or the key is not valid")
        return caller
