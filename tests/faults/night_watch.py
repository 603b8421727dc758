"""Who watches the game night: what is true at a moment, and whether we tell it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.processes import NIGHT_DATE, Process, in_qonto, in_xero
from tests.faults.fast_clock import HELD_SECONDS, now_in, under_way
from tests.faults.rig import SIGNS_OF_WORK, FaultyCompany, Stillness
from tests.sandbox.world_client import Party, WorldClient
from tests.servers.processes import ServerError, wait_until

STILL_SECONDS = 1.5  # of ours, without a sign of work
WATCH_SECONDS = 15  # of ours, in which a scheduler reads what it tells for all

MOST_FAILURES = 10  # of Xero in a row, before we only probe
NIGHT_STATES = ("due", "running", "waiting", "done", "failed")
UNSETTLED = ("due", "sending", "uncertain", "held", "rejected")
PEERS = {"xero": "xero", "identity": "xero_identity", "qonto": "qonto"}
JOBS, CALLS = "qonto_xero_jobs_running", "qonto_xero_requests_total"

POSTINGS = "SELECT transaction_id, state FROM posting"
NIGHTS = "SELECT organisation_id, state FROM sync_run WHERE kind = 'nightly' AND local_date = %s"
LEASES = "SELECT count(*) FROM lease WHERE owner <> '' AND expires_at > %s"
UNCERTAIN_SINCE = "SELECT min(changed_at) FROM posting WHERE state = 'uncertain'"
UNSENT = "SELECT count(*) FROM outbox_message WHERE sent_at IS NULL"
FAILURES = "SELECT coalesce(max(failures), 0) FROM call_budget WHERE scope = 'app'"


@dataclass(frozen=True)
class Truth:
    """Everything at a standstill: Xero's own books, and our tables, read without any code of the product."""

    now: datetime
    books: Mapping[str, Counter[str]]  # by organisation, how often Xero has each transaction
    postings: Mapping[str, str]  # the state of each transaction
    nights: Mapping[str, str]  # the state of each organisation's night
    leases: int
    uncertain_since: datetime | None
    unsent: int
    failures: int  # of Xero in a row

    @property
    def states(self) -> Counter[str]:
        """How many nights are in which state."""
        return Counter(self.nights.values())

    @cached_property
    def in_xero(self) -> Counter[str]:
        return sum(self.books.values(), Counter[str]())

    @property
    def posted(self) -> int:
        """How many transactions Xero has that we know of for certain."""
        return len(self.in_xero.keys() - self.postings_that_are("sending", "uncertain"))

    def postings_that_are(self, *states: str) -> set[str]:
        return {name for name, state in self.postings.items() if state in states}


@dataclass(frozen=True)
class Watch:
    """Holds what we say against the truth. `due` is what Xero should have in the end, by organisation."""

    company: FaultyCompany
    town: WorldClient
    parties: Sequence[Party]
    due: Mapping[str, Counter[str]]
    began: int  # the number of the newest request then

    @classmethod
    def over(cls, company: FaultyCompany, town: WorldClient, parties: Sequence[Party]) -> Watch:
        due = {party.id: in_qonto(party) for party in parties}
        return cls(company, town, parties, due, town.control("GET", "/requests?limit=0")["last_id"])

    def look(self, *, broker: bool = True) -> Truth:
        """At a standstill: our record is true, and so is what is told by `status` and by each process; and what is.

        `broker`: whether it is there.
        """
        still = Stillness(STILL_SECONDS)
        wait_until(lambda: still.lasts(self._signs()), seconds=HELD_SECONDS, what="everything to stand still")
        truth = self._truth()
        assert_the_record_is_true(truth, self.due)
        self._assert_status_is_true(truth)
        self._assert_each_process_is_true(broker=broker)
        return truth

    def assert_the_fleet_is_true(self, truth: Truth) -> None:
        """What the scheduler tells Prometheus, once it has looked since everything stands still."""
        (scheduler,) = self.company.running("scheduler")
        counts = Counter(truth.postings.values())
        since = truth.uncertain_since or truth.now
        expected: dict[tuple[str, ...], float] = {
            **{("qonto_xero_organisation_nights", state): truth.states[state] for state in NIGHT_STATES},
            **{("qonto_xero_postings", state): counts[state] for state in UNSETTLED},
            ("qonto_xero_night_posted",): truth.posted,
            ("qonto_xero_organisations_working",): truth.leases,
            ("qonto_xero_circuit_open",): int(truth.failures >= MOST_FAILURES),
        }

        def told() -> dict[tuple[str, ...], float]:
            return {key: value for key, value in metrics_of(scheduler).items() if key in expected}

        with suppress(ServerError):
            wait_until(lambda: told() == expected, seconds=WATCH_SECONDS, what="the scheduler to have looked")
        assert told() == expected
        oldest = metrics_of(scheduler)["qonto_xero_posting_uncertain_oldest_seconds",]
        assert abs(oldest - (truth.now - since).total_seconds()) < 1

    def assert_each_call_is_counted(self) -> None:
        """What workers have asked, and were told, since the watch began; none has died."""
        made = self.town.requests_made(f"after={self.began}")
        logged = Counter((CALLS, str(request["status"]), PEERS[request["service"]]) for request in made)
        counted = Counter[tuple[str, ...]]()
        for worker in self.company.running("worker"):
            counted.update({key: int(n) for key, n in metrics_of(worker).items() if key[-1] in PEERS.values()})
        assert {key: n for key, n in counted.items() if key[0] == CALLS} == logged

    def _assert_status_is_true(self, truth: Truth) -> None:
        told = self.company.ask("status", "--json").json
        night, counts = told["tonight"], Counter(truth.postings.values())
        assert night["states"] == {state: truth.states[state] for state in night["states"]}
        assert night["total"] == len(self.parties)
        assert night["posted"] == truth.posted
        assert told["postings"] == {state: counts[state] for state in told["postings"]}
        assert told["uncertain"]["count"] == counts["uncertain"]
        assert _moment(told["uncertain"]["since"]) == truth.uncertain_since
        assert told["working"] == truth.leases
        low, high = sorted((truth.unsent, self._unsent()))  # a scheduler goes on meanwhile
        assert low <= told["outboxes"]["jobs"]["count"] <= high
        assert told["is_circuit_open"] == (truth.failures >= MOST_FAILURES)

    def _assert_each_process_is_true(self, *, broker: bool) -> None:
        workers = self.company.running("worker")
        for process in (*workers, *self.company.running("scheduler")):
            status, told = process.tells("/readyz")
            assert (status, json.loads(told)["checks"]["broker"] == "ok") == ((200, True) if broker else (503, False))
        jobs = sum(value for worker in workers for (name, *_), value in metrics_of(worker).items() if name == JOBS)
        assert jobs == self._organisations_under_way()

    def _organisations_under_way(self) -> int:
        """Of how many the world holds a call; one for a token does not say whose it is."""
        homes = {party.tenant: party.id for party in self.parties}
        whose = [request["tenant"] for request in under_way(self.town)]
        return len({homes.get(one, one) for one in whose if one}) + whose.count(None)

    def _signs(self) -> Any:
        answered = self.town.control("GET", "/requests?limit=0")["last_id"]
        return [self.company.query(SIGNS_OF_WORK), answered, under_way(self.town)]

    def _truth(self) -> Truth:
        now = now_in(self.town)
        ((leases,),) = self.company.query(LEASES, now)
        ((uncertain_since,),) = self.company.query(UNCERTAIN_SINCE)
        ((failures,),) = self.company.query(FAILURES)
        return Truth(
            now=now,
            books={party.id: in_xero(party) for party in self.parties},
            postings=dict(self.company.query(POSTINGS)),
            nights=dict(self.company.query(NIGHTS, NIGHT_DATE)),
            leases=leases,
            uncertain_since=uncertain_since,
            unsent=self._unsent(),
            failures=failures,
        )

    def _unsent(self) -> int:
        return int(self.company.query(UNSENT)[0][0])


def metrics_of(process: Process) -> dict[tuple[str, ...], float]:
    """What it tells Prometheus now, by name and values of labels, these in the order of the labels' names."""
    families = text_string_to_metric_families(process.tells("/metrics")[1])
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def assert_the_record_is_true(truth: Truth, due: Mapping[str, Counter[str]]) -> None:
    """Xero has nothing twice, all that we call posted, and besides only what we say may be there."""
    assert set(truth.in_xero.values()) <= {1}
    assert truth.postings_that_are("posted") <= truth.in_xero.keys()
    assert truth.in_xero.keys() <= truth.postings_that_are("posted", "sending", "uncertain")
    done = [organisation for organisation, state in truth.nights.items() if state == "done"]
    assert [one for one in done if truth.books[one] != due[one]] == []
