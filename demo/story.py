"""The three nights, in order: the first, one with misfortune, and a replay of both."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from clients.sandbox import Sandbox
from console import Screen
from demo.stage import workers
from demo.verdict import Report, verdict_on, xero_ledger
from messaging.event_queues import KEY_ID, SIGNATURE
from models.chosen import runs_numbered
from models.inbox import InboxEvent
from models.posting import Posting, count_by_state
from models.states import OPEN_RUN_STATES, SETTLED_IN_XERO, RunKind, RunState
from models.sync_run import SyncRun
from scheduler.loop import Scheduler
from scheduler.tick import open_due
from services.connect import Grant, Wishes, connect
from services.receive_event import Delivery, receive_event
from services.replay import Person, replay, runs_once_more
from services.workbench import Workbench
from settings import Secret

OPENED, CLOSED = "Taxes of November", "Christmas party"
SECOND_EVENING = "2026-11-19T20:00:00Z"
PATIENCE_SECONDS = 300  # of real time, for one night; the bound that no fault may exceed
LOST_ANSWERS = (
    {"action": "drop", "when": "after", "times": 4, "skip": 1},
    {"action": "reset", "when": "after", "times": 3},
    {"action": "truncated", "when": "after", "times": 2},
    {"action": "garbage", "when": "after", "times": 2},
    {"action": "status", "status": 500, "when": "after", "times": 2, "sticky_cached": True},
    {"action": "status", "status": 503, "text": "offline", "when": "before", "times": 3},
    {"action": "drop", "when": "before", "times": 3},
    {"action": "status", "status": 429, "problem": "minute", "retry_after": 37, "when": "before", "times": 2},
)


class Story:
    """The three nights, in order."""

    def __init__(self, screen: Screen, world: Sandbox, town: list[dict[str, Any]], workbench: Workbench) -> None:
        self._screen = screen
        self._world = world
        self._town = town
        self._workbench = workbench
        self._starts_at = workbench.clock() - timedelta(hours=13)
        self._report = Report()

    def live_through(self) -> Report:
        self._screen.say(f"A Qonto and a Xero with {len(self._town)} organisations, at {self._world.url}")
        for organisation in self._screen.progress().track(self._town, description="connecting"):
            self._connect(organisation)
        self._world.post(f"/xero/{self._town[1]['tenant_id']}/lock-date", {"period_lock_date": "2026-11-18"})
        with workers(self._workbench) as scheduler:
            self._night("1: the first", scheduler, "2026-11-18T22:00:00Z")
            self._set_clock(datetime.fromisoformat(SECOND_EVENING))
            self._until_quiet("2, by day: what people changed in Xero is looked for", scheduler)
            deleted, archived = self._what_people_do()
            self._accounts_follow(scheduler)
            for fault in LOST_ANSWERS:
                match = {"service": "xero", "method": "PUT", "path": "/BankTransactions$"}
                self._world.post("/faults", {"match": match, **fault})
            self._night("2: answers lost, a transaction and an account deleted", scheduler, "2026-11-19T22:00:00Z")
            self._world.delete("/faults")
            self._observe(scheduler)
            before = self._writes()
            self._replay(scheduler)
        self._judge(deleted, archived, repeated_writes=self._writes() - before)
        return self._report

    def _connect(self, organisation: dict[str, Any]) -> None:
        grant = Grant(
            qonto_api_key=Secret(f"{organisation['qonto_login']}:{organisation['qonto_secret']}"),
            qonto_refresh_token=Secret(""),
            xero_refresh_token=Secret(organisation["xero_tokens"]["refresh_token"]),
        )
        connect(self._workbench, grant, Wishes(starts_at=self._starts_at), who="demo")

    def _night(self, name: str, scheduler: Scheduler, at: str) -> None:
        self._set_clock(datetime.fromisoformat(at))
        open_due(self._workbench.clock())  # as the scheduler does in its next tick: until then all would seem quiet
        self._until_quiet(name, scheduler)

    def _set_clock(self, moment: datetime) -> None:
        """Move the world's clock, and wait until ours has followed."""
        self._world.post("/clock", {"now": moment.isoformat()})
        while self._workbench.clock() < moment:
            time.sleep(0.05)

    def _until_quiet(self, name: str, scheduler: Scheduler) -> None:
        """Let scheduler and workers run until every run is over; when all of them wait, move the world's clock on."""
        started = time.monotonic()
        posted_before = _done()
        with self._screen.progress() as bar:
            task = bar.add_task(f"night {name}", total=None)
            while open_runs := self._turn(scheduler):
                if time.monotonic() - started > PATIENCE_SECONDS:
                    raise TimeoutError(f"night {name} did not end: {open_runs[0].reason}")
                bar.update(task, completed=_done() - posted_before)
                self._move_on_if_all_wait(open_runs)
        seconds = round(time.monotonic() - started, 1)
        self._report.nights.append({"night": name, "posted": _done() - posted_before, "seconds": seconds})
        self._screen.say(f"night {name}: {_done() - posted_before} posted in {seconds} s")

    def _turn(self, scheduler: Scheduler) -> list[SyncRun]:
        """The runs that are open after a turn, once no event waits for a worker to open one."""
        time.sleep(scheduler.turn())
        while InboxEvent.select().where(InboxEvent.handled_at.is_null()).exists() and not _open_runs():
            time.sleep(scheduler.turn())
        return _open_runs()

    def _move_on_if_all_wait(self, open_runs: list[SyncRun]) -> None:
        # Time never leaps in life: nobody may be at work, nor about to be, when it does here.
        if all(run.state == RunState.WAITING and not run.wave for run in open_runs):
            next_wake = min(run.wake_at for run in open_runs)
            if next_wake > self._workbench.clock():
                self._set_clock(next_wake)

    def _what_people_do(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The day between: new transactions, a deletion of each kind, the lock date moved, the euro added."""
        for number, organisation in enumerate(self._town):
            path = f"/qonto/{organisation['organisation_id']}/transactions"
            self._world.post(path, {"count": 5 + 7 * number % 60, "seed": number, "settled_within_hours": 10})
        tenants = [organisation["tenant_id"] for organisation in self._town]
        self._world.post(f"/xero/{tenants[1]}/lock-date", {"period_lock_date": None})
        self._world.post(f"/xero/{tenants[-1]}/currencies", {"add": ["EUR"]})
        transaction = xero_ledger(self._world, tenants[0])["bank_transactions"][0]
        self._world.post(f"/xero/{tenants[0]}/bank-transactions/{transaction['id']}/delete")
        account = next(a for a in xero_ledger(self._world, tenants[2])["accounts"] if a["type"] == "BANK")
        self._world.post(f"/xero/{tenants[2]}/accounts/{account['id']}/delete")
        return (tenants[0], transaction["url"]), (tenants[2], account["name"])

    def _accounts_follow(self, scheduler: Scheduler) -> None:
        """One company opens an account, another spends the last of one and closes it; Qonto's core tells of both."""
        said = self._world.get("/core/events")["last"]
        opener, closer = self._town[0], self._town[1]
        self._world.post(f"/qonto/{opener['organisation_id']}/accounts", {"name": OPENED})
        books = f"/qonto/{closer['organisation_id']}"
        closed = self._world.post(f"{books}/accounts", {"name": CLOSED})
        self._hear(said)
        self._until_quiet("2, in the evening: accounts are opened, and there", scheduler)
        last = {"account_id": closed["id"], "amount_cents": 12_50, "label": "The last of it"}
        (row,) = self._world.post(f"{books}/transactions", {"transactions": [last]})["transactions"]
        said = self._world.get("/core/events")["last"]
        self._world.post(f"{books}/accounts/{closed['id']}/close")
        self._hear(said)
        self._until_quiet("2, in the evening: one is closed, its last payment sent", scheduler)
        self._report.promises |= {
            "an account opened in Qonto is in Xero before the night": self._has_account(opener, OPENED),
            "the last of a closed account is in Xero before the night": self._has_row(closer, row["id"]),
        }

    def _hear(self, said: int) -> None:
        """What Qonto's core has said since then arrives, each of it twice, as through RabbitMQ where there is one."""
        for one in 2 * self._world.get("/core/events", after=str(said))["events"]:
            headers = one["headers"]
            receive_event(Delivery(one["body"].encode(), headers[KEY_ID], headers[SIGNATURE]), self._workbench)

    def _has_account(self, organisation: dict[str, Any], name: str) -> bool:
        accounts = xero_ledger(self._world, organisation["tenant_id"])["accounts"]
        return [one["status"] for one in accounts if one["name"] == name] == ["ACTIVE"]

    def _has_row(self, organisation: dict[str, Any], transaction_id: str) -> bool:
        rows = xero_ledger(self._world, organisation["tenant_id"])["bank_transactions"]
        return len([row for row in rows if row["url"].endswith(f"/{transaction_id}")]) == 1

    def _observe(self, scheduler: Scheduler) -> None:
        self._night("2, the morning after: what people deleted is seen", scheduler, "2026-11-20T04:00:01Z")

    def _replay(self, scheduler: Scheduler) -> None:
        now = self._workbench.clock()
        done = SyncRun.select().where((SyncRun.kind == RunKind.NIGHTLY) & (SyncRun.state == RunState.DONE))
        for _ in replay(
            runs_once_more(runs_numbered([night.id for night in done])), Person("demo", "the demo's third night"), now
        ):
            pass
        self._until_quiet("3: both nights once more", scheduler)

    def _writes(self) -> int:
        return sum(len(xero_ledger(self._world, one["tenant_id"])["bank_transactions"]) for one in self._town)

    def _judge(self, deleted: tuple[str, str], archived: tuple[str, str], repeated_writes: int) -> None:
        self._report.organisations = [
            verdict_on(organisation, self._world, self._workbench, self._starts_at) for organisation in self._town
        ]
        rows = [row for row in xero_ledger(self._world, deleted[0])["bank_transactions"] if row["url"] == deleted[1]]
        again = [
            account
            for account in xero_ledger(self._world, archived[0])["accounts"]
            if account["name"].startswith(archived[1]) and not account["deleted"] and account["status"] == "ACTIVE"
        ]
        verdicts = self._report.organisations
        self._report.promises |= {
            "no transaction is lost": not any(verdict.lost for verdict in verdicts),
            "none is there twice, deleted ones counted": not any(verdict.duplicated for verdict in verdicts),
            "none is there that should not be": not any(verdict.unexpected for verdict in verdicts),
            "every amount, date and direction is right": not any(verdict.wrong for verdict in verdicts),
            "every balance is equal, or its difference is named": not any(v.unexplained for v in verdicts),
            "the transaction deleted in Xero stays deleted": [row["status"] for row in rows] == ["DELETED"],
            "the account deleted in Xero is there again, once": len(again) == 1,
            "a replay of both nights writes nothing": repeated_writes == 0,
            "what was held has let go by itself": not any(verdict.held for verdict in verdicts),
        }


def _open_runs() -> list[SyncRun]:
    return list(SyncRun.select().where(SyncRun.state.in_(OPEN_RUN_STATES)))


def _done() -> int:
    counts = count_by_state(Posting.state.in_(SETTLED_IN_XERO))
    return sum(counts.values())
