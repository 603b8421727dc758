"""What lies between a worker and the others: bytes that arrive late or never, answers that are lost or garbled."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from clients.errors import Temporary
from clients.http import Answer, Http
from tests.simulation.baton import Fiber
from tests.simulation.sim_xero import Request, SimXero
from tests.simulation.timeline import Timeline
from tests.simulation.weather import Weather

SLOWEST_WAY = 5.0  # seconds that a request travels at most
PATIENCE = (30.0, 45.0)  # seconds after which a caller gives up


@dataclass
class Call:
    """One call under way. `answer` is what has come back; `None` once the connection broke."""

    fiber: Fiber
    answer: Answer | None = None
    is_over: bool = False


class SimHttp(Http):
    """`on_leaving` sees each request at the moment its bytes leave, `on_answered` each answer that is read."""

    def __init__(
        self, timeline: Timeline, weather: Weather, xero: SimXero, qonto: Callable[[str, Mapping[str, str]], bytes]
    ) -> None:
        self.on_leaving: Callable[[Request], None] = lambda _: None
        self.on_answered: Callable[[Request, Answer], None] = lambda _, __: None
        self._timeline = timeline
        self._weather = weather
        self._xero = xero
        self._qonto = qonto

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        not_after: float = math.inf,  # noqa: ARG002 - as told below
    ) -> Answer:
        """The bytes leave at once: whoever was held up before has been told so. Everything after that takes time."""
        if url.startswith("qonto:"):
            self._timeline.step()
            return Answer(200, {}, self._qonto(url, params or {}))
        named = headers or {}
        request = Request(
            method,
            urlsplit(url).path.rpartition("/2.0")[2],
            named["xero-tenant-id"],
            named.get("Idempotency-Key", ""),
            body or b"",
            params or {},
            named.get("If-Modified-Since", ""),
        )
        fiber = self._timeline.baton.holder
        assert fiber
        self._timeline.tell(fiber.process.name, f"{method} {request.path} {request.key[:6]} leaves")
        self.on_leaving(request)
        answer = self._wait(Call(fiber), request)
        self.on_answered(request, answer)
        return answer

    def _wait(self, call: Call, request: Request) -> Answer:
        timeline, random = self._timeline, self._timeline.random
        started = timeline.now
        if random.random() >= self._weather.lose_request:
            slow = random.random() < self._weather.late_commit
            way = random.uniform(0, SLOWEST_WAY if slow else 0.1)
            timeline.after(way, lambda: self._xero.receive(request, lambda answer: self._back(call, answer)))
        patience = random.uniform(*PATIENCE)
        timeline.after(patience, lambda: self._give_up(call))
        timeline.park()
        call.is_over = True
        is_late = (
            timeline.now - started > PATIENCE[1] and random.random() < 0.5
        )  # it was stopped: it may read it or not
        if call.answer is None or is_late:
            timeline.tell(call.fiber.process.name, f"{request.method} {request.key[:6]} has no answer")
            raise Temporary(f"{request.method} {request.path}", "no answer: simulated")
        timeline.tell(call.fiber.process.name, f"{request.method} {request.key[:6]} answered {call.answer.status}")
        return call.answer

    def _back(self, call: Call, answer: Answer) -> None:
        """An answer sets out: it arrives, breaks off, or never comes."""
        random, weather = self._timeline.random, self._weather
        if random.random() < weather.lose_answer:
            if random.random() < 0.5:
                self._arrive(call, None)
            return
        if random.random() < weather.garbage:
            answer = replace(answer, body=answer.body[: len(answer.body) // 2])
        elif random.random() < weather.leave_out:
            answer = _without_some(answer)
        self._timeline.after(random.uniform(0, 0.1), lambda: self._arrive(call, answer))

    def _arrive(self, call: Call, answer: Answer | None) -> None:
        if not call.is_over:
            call.answer, call.is_over = answer, True
            self._timeline.wake(call.fiber)

    def _give_up(self, call: Call) -> None:
        if not call.is_over:
            call.is_over = True
            self._timeline.wake(call.fiber)


def _without_some(answer: Answer) -> Answer:
    """The answer to a request that made rows, without its first one. Lists stay whole: a false one shows in nothing."""
    content = json.loads(answer.body) if answer.status == 200 else {}
    if "BankTransactions" not in content or "pagination" in content:
        return answer
    return replace(answer, body=json.dumps({"BankTransactions": content["BankTransactions"][1:]}).encode())
