"""A Xero that remembers keys for six minutes, takes its time, fails in every way a sane server may, and lists late."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clients.http import Answer
from tests.simulation.clocks import BEGIN
from tests.simulation.ledger import Ledger, Row
from tests.simulation.timeline import Timeline
from tests.simulation.weather import Weather

KEY_LIFE = 360.0  # seconds from the first call
SLOWEST_COMMIT = 20.0  # seconds that Xero works on a request at most
LATEST_LIST = 90.0  # seconds until every list shows a new row

Reply = Callable[[Answer], None]


@dataclass(frozen=True)
class Request:
    """What a worker sent."""

    method: str
    path: str
    tenant_id: str
    key: str
    body: bytes
    params: Mapping[str, str]
    since: str

    @property
    def is_posting(self) -> bool:
        return (self.method, self.path) == ("PUT", "/BankTransactions")

    def elements(self) -> list[dict[str, Any]]:
        return list(json.loads(self.body)["BankTransactions"])


@dataclass
class Remembered:
    """A key: the first request under it, and its answer once there is one."""

    request: Request
    first: float
    answer: Answer | None = None
    waiting: list[Reply] = field(default_factory=list)


class SimXero:
    """`refusals` are what Xero says to the rows with these links, `spoils` the links that spoil a whole request.

    `races` are links that Xero refuses once, because the contact was made by another request at the same moment.
    """

    def __init__(self, timeline: Timeline, weather: Weather, ledger: Ledger) -> None:
        self.ledger = ledger
        self.accounts: list[dict[str, str]] = []
        self.refusals: dict[str, str] = {}
        self.spoils: set[str] = set()
        self.races: set[str] = set()
        self._timeline = timeline
        self._random = timeline.random
        self._weather = weather
        self._keys: dict[str, Remembered] = {}

    def receive(self, request: Request, reply: Reply) -> None:
        """A request has arrived. `reply` is called once, now or later."""
        refused = self._at_the_door()
        if refused:
            self._tell(request, f"refused with {refused.status}")
            reply(refused)
        elif request.method == "PUT":
            self._put(request, reply)
        elif request.path == "/Accounts":
            reply(_answer(200, {"Accounts": self.accounts}))
        elif request.path == "/Organisation":
            reply(_answer(200, {"Organisations": [{"OrganisationID": request.tenant_id, "Name": "Farolillo SL"}]}))
        else:
            reply(self._list(request))

    def _at_the_door(self) -> Answer | None:
        """Refusals that come before the key is looked at: nothing takes effect."""
        weather, chance = self._weather, self._random.random
        if weather.limit and chance() < weather.limit:
            return self._limit()
        if weather.expire and chance() < weather.expire:
            return Answer(401, {}, b"")
        if weather.forbid and chance() < weather.forbid:
            return Answer(403, {}, b"")
        if weather.unavailable and chance() < weather.unavailable:
            return Answer(503, {}, b"")
        return None

    def _limit(self) -> Answer:
        seconds = self._random.choice((1, 5, 30, 60, 200, 400))
        return Answer(429, {"Retry-After": str(seconds), "X-Rate-Limit-Problem": "minute"}, b"")

    # Making rows.

    def _put(self, request: Request, reply: Reply) -> None:
        if self._weather.refuse_done and self._random.random() < self._weather.refuse_done:
            refusal = self._random.choice((self._limit(), Answer(401, {}, b""), Answer(403, {}, b"")))
            self._tell(request, f"taken, and refused with {refusal.status} by somebody in front")
            reply(refusal)
            reply = _to_nobody
        now = self._timeline.now
        known = self._keys.get(request.key)
        if known is None or now - known.first >= KEY_LIFE:
            self._keys[request.key] = known = Remembered(request, now)
            known.waiting.append(reply)
            late = self._weather.late_commit and self._random.random() < self._weather.late_commit
            self._timeline.after(self._random.uniform(0, SLOWEST_COMMIT if late else 0.5), lambda: self._work(known))
        elif (known.request.body, known.request.tenant_id) != (request.body, request.tenant_id):
            reply(_answer(400, {"Message": "The key was used for another request"}))
        elif known.answer:
            self._tell(request, f"answered {known.answer.status} from memory")
            reply(known.answer)
        elif self._random.random() < 0.5:
            known.waiting.append(reply)
        else:
            reply(Answer(500, {}, b""))

    def _work(self, known: Remembered) -> None:
        known.answer = self._answer_of(known.request)
        for reply in known.waiting:
            reply(known.answer)

    def _answer_of(self, request: Request) -> Answer:
        """Do it, or fail in the middle of it; either is remembered under the key."""
        weather, chance = self._weather, self._random.random
        elements = request.elements()
        if any(element["Url"] in self.spoils for element in elements):
            self._tell(request, "refused as a whole")
            return _answer(400, {"Message": "A validation exception occurred"})
        if weather.error_before and chance() < weather.error_before:
            self._tell(request, "fails before it begins")
            return Answer(500, {}, b"")
        stop_at = len(elements)
        if weather.error_amid and chance() < weather.error_amid:
            stop_at = self._random.randint(0, len(elements))
        answers = [self._make(request, element) for element in elements[:stop_at]]
        if stop_at < len(elements) or (weather.error_after and chance() < weather.error_after):
            self._tell(request, f"fails after {stop_at} rows")
            return Answer(500, {}, b"")
        return _answer(200, {"BankTransactions": answers})

    def _make(self, request: Request, element: dict[str, Any]) -> dict[str, Any]:
        url = element["Url"]
        if url in self.refusals:
            error = {"Message": self.refusals[url]}
            return {"Url": url, "StatusAttributeString": "ERROR", "ValidationErrors": [error]}
        if url in self.races:
            self.races.remove(url)
            error = {"Message": "The contact name Nube is already assigned to another contact."}
            return {"Url": url, "StatusAttributeString": "ERROR", "ValidationErrors": [error]}
        now = self._timeline.now
        late = self._weather.late_list and self._random.random() < self._weather.late_list
        listed_from = now + (self._random.uniform(0, LATEST_LIST) if late else 0)
        row_id = f"{self._random.getrandbits(64):016x}"
        self._tell(
            request, f"made {url.rpartition('/')[2]}" + (f", listed in {listed_from - now:.0f} s" if late else "")
        )
        return self.ledger.make(request.tenant_id, element, row_id, now, listed_from).answer()

    # Showing rows.

    def _list(self, request: Request) -> Answer:
        since = datetime.fromisoformat(request.since).replace(tzinfo=UTC) if request.since else BEGIN
        rows = self.ledger.listed(request.tenant_id, (since - BEGIN).total_seconds(), self._timeline.now)
        size, page = int(request.params["pageSize"]), int(request.params["page"])
        shown = rows[(page - 1) * size : page * size]
        pages = -(-len(rows) // size)
        self._tell(request, f"lists {len(shown)} rows, page {page} of {pages}")
        return _answer(200, {"BankTransactions": [row.answer() for row in shown], "pagination": {"pageCount": pages}})

    def delete(self, row: Row) -> None:
        """A person does that."""
        self._timeline.tell("a person", f"deletes {row.url.rpartition('/')[2]}")
        self.ledger.delete(row, self._timeline.now)

    def _tell(self, request: Request, what: str) -> None:
        self._timeline.tell("Xero", f"{request.method} {request.key[:6]}: {what}" if request.key else f"GET: {what}")


def _to_nobody(_: Answer) -> None:
    """Whoever asked has an answer already."""


def _answer(status: int, body: object) -> Answer:
    return Answer(status, {}, json.dumps(body).encode())
