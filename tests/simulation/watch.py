"""What must hold at every instant: checked as bytes leave, as rows are made, and as transactions commit."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

from clients.http import Answer
from tests.simulation.baton import Fiber
from tests.simulation.ledger import Ledger, Row
from tests.simulation.memory_database import MemoryDatabase
from tests.simulation.sim_xero import Request
from tests.simulation.timeline import Timeline

ONE_KEY_WITHIN = 306.0  # five minutes, and the seconds between a decision and its bytes
QUIET = 40.0  # between two sends of one key: 45 seconds, less those between the earlier decision and its bytes
PROVED_AFTER = 114.0  # the last replay, and two minutes: seven less the five of replays, and the same seconds
INTENT = "SELECT body, first_sent_at FROM posting_batch WHERE key = ?"
PROOF = "SELECT looked_up_at FROM posting_batch WHERE key = ?"
FENCE = "SELECT fence FROM lease WHERE organisation_id = ?"


@dataclass
class Leave:
    """A request that left. Whatever was answered to it, Xero may have taken it."""

    request: Request
    at: float


class Watch:
    """The invariants I1, I3, I8, I9, I10 and I12, by what really happened and not by what anybody says."""

    def __init__(self, timeline: Timeline, database: MemoryDatabase) -> None:
        self.ledger = Ledger(self.on_made)
        self._timeline = timeline
        self._database = database
        self._leaves: defaultdict[str, list[Leave]] = defaultdict(list)  # by key
        self._keys_of: defaultdict[str, list[str]] = defaultdict(list)  # by link, oldest first
        self._refused: set[tuple[str, str]] = (
            set()
        )  # key and link of rows that Xero refused, in an answer that was read
        self._list_began: dict[Fiber, float] = {}
        self._looks: defaultdict[str, list[float]] = defaultdict(list)  # when complete lists began, by tenant

    def on_made(self, row: Row) -> None:
        there = self.ledger.of(row.url)
        if len(there) > 1:
            again = "deleted by a person, is there again" if there[0].is_deleted else f"is there {len(there)} times"
            name = "I3" if there[0].is_deleted else "I1"
            self._timeline.violate(f"{name}: {row.url.rpartition('/')[2]} {again}")

    def on_leaving(self, request: Request) -> None:
        if not request.is_posting:
            self._note_list(request)
            return
        self._check_intent(request)
        urls = [element["Url"] for element in request.elements()]
        if request.key not in self._leaves:
            self._check_proof(urls)
            for url in urls:
                self._keys_of[url].append(request.key)
        self._check_key(request)

    def _check_intent(self, request: Request) -> None:
        stored = self._database.raw().execute(INTENT, (request.key,)).fetchone()
        if stored is None or bytes(stored[0]) != request.body or stored[1] is None:
            self._timeline.violate(f"I8: {request.key[:6]} leaves, and the database does not say so")

    def _check_key(self, request: Request) -> None:
        sent = self._leaves[request.key]
        sent.append(Leave(request, self._timeline.now))
        if any((leave.request.body, leave.request.tenant_id) != (request.body, request.tenant_id) for leave in sent):
            self._timeline.violate(f"I9: {request.key[:6]} is used for two requests")
        if sent[-1].at - sent[0].at > ONE_KEY_WITHIN:
            self._timeline.violate(f"I9: {request.key[:6]} leaves again after {sent[-1].at - sent[0].at:.0f} s")
        if len(sent) > 1 and sent[-1].at - sent[-2].at < QUIET:
            self._timeline.violate(f"I9: {request.key[:6]} leaves again after {sent[-1].at - sent[-2].at:.0f} s only")

    def _check_proof(self, urls: list[str]) -> None:
        """A transaction leaves under a new key: of every earlier one it must be known that it did not arrive."""
        for url in urls:
            for key in self._keys_of[url]:
                if (key, url) not in self._refused and not self._is_proved(key):
                    self._timeline.violate(
                        f"I10: {url.rpartition('/')[2]} leaves again, and {key[:6]} is not disproved"
                    )

    def _is_proved(self, key: str) -> bool:
        stored = self._database.raw().execute(PROOF, (key,)).fetchone()
        last = self._leaves[key][-1]
        looks = self._looks[last.request.tenant_id]
        is_stored = stored is not None and stored[0] is not None
        return is_stored and any(began >= last.at + PROVED_AFTER for began in looks)

    def on_answered(self, request: Request, answer: Answer) -> None:
        try:
            told = json.loads(answer.body) if answer.status == 200 else {}
        except ValueError:
            return
        if request.is_posting:
            rows = told.get("BankTransactions", [])
            self._refused |= {(request.key, row["Url"]) for row in rows if row["StatusAttributeString"] == "ERROR"}
        elif "pagination" in told and int(request.params["page"]) >= told["pagination"]["pageCount"]:
            fiber = self._timeline.baton.holder
            assert fiber
            self._looks[request.tenant_id].append(self._list_began[fiber])

    def _note_list(self, request: Request) -> None:
        fiber = self._timeline.baton.holder
        if fiber and request.params.get("page") == "1":
            self._list_began[fiber] = self._timeline.now

    def before_commit(self) -> None:
        """Whoever writes postings or batches holds the newest fence of the organisation."""
        fiber = self._timeline.baton.holder
        if fiber and fiber.fence:
            organisation, fence = fiber.fence
            [newest] = self._database.raw().execute(FENCE, (organisation,)).fetchone()
            if newest != fence:
                self._timeline.violate(f"I12: {fiber.process.name} writes under fence {fence}, and {newest} is taken")
