"""Three nights in a world of our own: the first, one with misfortune, and a replay of both; then the proof."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

from clients.http import Http
from clients.sandbox import Sandbox
from console import Screen
from domain.money import to_decimal
from messaging import InProcessPublisher, Lane, run_worker
from messaging.outbox_relay import Relay
from models.database import configure, connected
from models.migrate import migrate
from models.organisation import Connection
from models.posting import Posting, count_by_state
from models.states import OPEN_RUN_STATES, RunKind, RunState
from models.sync_run import SyncRun
from scheduler.loop import Scheduler
from services.connect import Grant, Wishes, connect
from services.prove_balance import AccountBalance, prove_balance
from services.request_sync import replay_run
from services.workbench import Workbench, make_workbench
from settings import IN_PROCESS, Secret, read_settings
from workers.process import worker_broker

FIRST_EVENING = "2026-11-18T20:00:00Z"  # 21:00 in Paris, two hours before the first night
SECOND_EVENING = "2026-11-19T20:00:00Z"
THREADS = 4
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


@dataclass
class Verdict:
    """One organisation after three nights, counted against the world's own truth. Amounts in cents."""

    organisation: str
    accounts: int
    posted: int
    held: int
    why_held: str
    excluded: int
    deleted_in_xero: int
    lost: list[str]
    duplicated: list[str]
    unexpected: list[str]
    wrong: list[str]
    qonto: int
    opening: int
    xero: int
    differences: list[dict[str, Any]]
    unexplained: int

    @property
    def promises_hold(self) -> bool:
        return not (self.lost or self.duplicated or self.unexpected or self.wrong or self.unexplained)


@dataclass
class Report:
    """`promises` says for each promise made to the customer whether it held."""

    nights: list[dict[str, Any]] = field(default_factory=list)
    organisations: list[Verdict] = field(default_factory=list)
    promises: dict[str, bool] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def all_promises_hold(self) -> bool:
        return all(self.promises.values())


def run(screen: Screen, seed: int, organisations: int, max_transactions: int) -> Report:
    """Live through three nights and show what came of them."""
    started = time.monotonic()
    with ExitStack() as stack:
        world = stack.enter_context(_world())
        town = world.post(
            "/worlds",
            {
                "seed": seed,
                "organisations": organisations - 1,
                "max_accounts": 8,
                "max_transactions": max_transactions,
                "settled_within_hours": 12,
            },
        )["organisations"]
        town.append(_without_euro(world))
        story = _Story(screen, world, town, stack.enter_context(_company(world, town[0])))
        report = story.live_through()
    report.seconds = round(time.monotonic() - started, 1)
    _show(screen, report)
    return report


@contextmanager
def _world() -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own sandbox
        try:
            line = process.stdout.readline() if process.stdout else ""
            world = Sandbox(Http(), line.split()[-1])
            world.post("/clock", {"now": FIRST_EVENING})
            yield world
        finally:
            process.terminate()


def _without_euro(world: Sandbox) -> dict[str, Any]:
    """A Xero organisation in pounds that has not added the euro: what it gets is held until it does."""
    made: dict[str, Any] = world.post(
        "/organisations",
        {
            "name": "Thames Tea",
            "accounts": [{"name": "Main"}],
            "xero": {"tenant_name": "Thames Tea", "base_currency": "GBP", "currencies": []},
        },
    )
    world.post(f"/qonto/{made['organisation_id']}/transactions", {"count": 12, "seed": 5, "settled_within_hours": 12})
    return made


@contextmanager
def _company(world: Sandbox, someone: dict[str, Any]) -> Iterator[Workbench]:
    """Our own side: a database file, a key, and clients pointed at the world; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="qonto-xero-demo-") as folder:
        environment = {
            "DATABASE_URL": f"sqlite:///{Path(folder) / 'demo.sqlite3'}",
            "ENCRYPTION_KEYS": "demo:" + base64.b64encode(os.urandom(32)).decode(),
            "XERO_API_URL": f"{world.url}/xero",
            "XERO_IDENTITY_URL": f"{world.url}/identity",
            "XERO_CLIENT_ID": someone["xero_client_id"],
            "XERO_CLIENT_SECRET": someone["xero_client_secret"],
            "QONTO_API_URL": f"{world.url}/qonto",
            "QONTO_OAUTH_URL": f"{world.url}/qonto",
            "CLOCK_URL": world.url,
        }
        settings = read_settings({f"QONTO_XERO_{name}": value for name, value in environment.items()})
        configure(settings.database_url)
        with connected():
            migrate()
            yield make_workbench(settings)


class _Story:
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
        with _workers(self._workbench) as scheduler:
            self._night("1: the first", scheduler, "2026-11-18T22:00:00Z")
            deleted, archived = self._what_people_do()
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
        time.sleep(scheduler.turn())
        return list(SyncRun.select().where(SyncRun.state.in_(OPEN_RUN_STATES)))

    def _move_on_if_all_wait(self, open_runs: list[SyncRun]) -> None:
        # Time never leaps in life: nobody may be at work, nor about to be, when it does here.
        if all(run.state == RunState.WAITING and not run.wave for run in open_runs):
            next_wake = min(run.wake_at for run in open_runs)
            if next_wake > self._workbench.clock():
                self._set_clock(next_wake)

    def _what_people_do(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The day between: new transactions, a deletion of each kind, the lock date moved, the euro added."""
        self._set_clock(datetime.fromisoformat(SECOND_EVENING))
        for number, organisation in enumerate(self._town):
            path = f"/qonto/{organisation['organisation_id']}/transactions"
            self._world.post(path, {"count": 5 + 7 * number % 60, "seed": number, "settled_within_hours": 10})
        tenants = [organisation["tenant_id"] for organisation in self._town]
        self._world.post(f"/xero/{tenants[1]}/lock-date", {"period_lock_date": None})
        self._world.post(f"/xero/{tenants[-1]}/currencies", {"add": ["EUR"]})
        transaction = self._ledger(tenants[0])["bank_transactions"][0]
        self._world.post(f"/xero/{tenants[0]}/bank-transactions/{transaction['id']}/delete")
        account = next(a for a in self._ledger(tenants[2])["accounts"] if a["type"] == "BANK")
        self._world.post(f"/xero/{tenants[2]}/accounts/{account['id']}/delete")
        return (tenants[0], transaction["url"]), (tenants[2], account["name"])

    def _observe(self, scheduler: Scheduler) -> None:
        self._night("2, the morning after: what people deleted is seen", scheduler, "2026-11-20T04:00:01Z")

    def _replay(self, scheduler: Scheduler) -> None:
        now = self._workbench.clock()
        for night in SyncRun.select().where((SyncRun.kind == RunKind.NIGHTLY) & (SyncRun.state == RunState.DONE)):
            replay_run(night, "demo", now, "the demo's third night")
        self._until_quiet("3: both nights once more", scheduler)

    def _writes(self) -> int:
        return sum(len(self._ledger(one["tenant_id"])["bank_transactions"]) for one in self._town)

    def _ledger(self, tenant_id: str) -> dict[str, Any]:
        ledger: dict[str, Any] = self._world.get(f"/xero/{tenant_id}/ledger")
        return ledger

    def _judge(self, deleted: tuple[str, str], archived: tuple[str, str], repeated_writes: int) -> None:
        self._report.organisations = [self._verdict(organisation) for organisation in self._town]
        rows = [row for row in self._ledger(deleted[0])["bank_transactions"] if row["url"] == deleted[1]]
        again = [
            account
            for account in self._ledger(archived[0])["accounts"]
            if account["name"].startswith(archived[1]) and not account["deleted"] and account["status"] == "ACTIVE"
        ]
        verdicts = self._report.organisations
        self._report.promises = {
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

    def _verdict(self, organisation: dict[str, Any]) -> Verdict:
        connection = Connection.get(Connection.tenant_id == organisation["tenant_id"])
        counts = count_by_state(Posting.connection_id == connection.id)
        by_state = Counter[str]()
        for (state, _), count in counts.items():
            by_state[state] += count
        proofs = prove_balance(connection, self._workbench)
        truth = _truth(self._world, organisation, self._starts_at)
        in_xero = self._ledger(organisation["tenant_id"])["bank_transactions"]
        ours = Counter(row["url"].rsplit("/", 1)[-1] for row in in_xero if row["made_by"] == "api")
        right = {key for row in in_xero if (key := row["url"].rsplit("/", 1)[-1]) in truth and _agrees(row, truth[key])}
        waiting = {p.transaction_id for p in Posting.select().where(Posting.connection_id == connection.id) if p.reason}
        return Verdict(
            organisation=organisation["name"],
            accounts=len(proofs),
            posted=by_state["posted"],
            held=by_state["held"],
            why_held=", ".join(sorted(reason for state, reason in counts if state == "held")),
            excluded=by_state["excluded"],
            deleted_in_xero=by_state["deleted_in_xero"],
            lost=sorted(truth.keys() - ours.keys() - waiting),
            duplicated=sorted(key for key, times in ours.items() if times > 1),
            unexpected=sorted(ours.keys() - truth.keys()),
            wrong=sorted((truth.keys() & ours.keys()) - right),
            qonto=_sum(proofs, "qonto"),
            opening=_sum(proofs, "opening"),
            xero=_sum(proofs, "xero"),
            differences=[asdict(difference) for proof in proofs for difference in proof.differences],
            unexplained=_sum(proofs, "unexplained"),
        )


@contextmanager
def _workers(workbench: Workbench) -> Iterator[Scheduler]:
    """Worker threads in this process, fed by an in-process queue, and the scheduler that feeds it."""
    stop = Event()
    broker = worker_broker(IN_PROCESS, workbench, stop)
    threads = Thread(target=run_worker, args=(broker, list(Lane), THREADS, stop), name="workers")
    threads.start()
    try:
        yield Scheduler(Relay(InProcessPublisher(broker), workbench.clock), workbench.clock, tick_seconds=0.2)
    finally:
        stop.set()
        threads.join()


def _truth(world: Sandbox, organisation: dict[str, Any], starts_at: datetime) -> dict[str, dict[str, Any]]:
    """What Xero should have, by Qonto's id, from the world's own books and not from ours."""
    ledger = world.get(f"/qonto/{organisation['organisation_id']}/ledger")
    external = {account["id"] for account in ledger["accounts"] if account["is_external"]}
    return {
        row["id"]: row
        for row in ledger["transactions"]
        if row["status"] == "completed"
        and row["amount_cents"]
        and row["account_id"] not in external
        and datetime.fromisoformat(row["settled_at"]) >= starts_at
    }


def _agrees(row: dict[str, Any], truth: dict[str, Any]) -> bool:
    kind = "RECEIVE" if truth["side"] == "credit" else "SPEND"
    paris = datetime.fromisoformat(truth["settled_at"]) + timedelta(hours=1)  # November: one hour ahead of UTC
    return bool(
        row["type"] == kind and row["cents"] == truth["amount_cents"] and row["date"] == paris.date().isoformat()
    )


def _done() -> int:
    return sum(count for (state, _), count in count_by_state(Posting.id > 0).items() if state == "posted")


def _sum(proofs: list[AccountBalance], column: str) -> int:
    return sum(getattr(proof, column) for proof in proofs)


def _show(screen: Screen, report: Report) -> None:
    if screen.as_json:
        screen.json(asdict(report) | {"all_promises_hold": report.all_promises_hold})
        return
    money = ("qonto", "opening", "xero", "unexplained")
    counts = ("lost", "duplicated", "unexpected", "wrong")
    rows = []
    for verdict in report.organisations:
        row = asdict(verdict) | {key: to_decimal(getattr(verdict, key)) for key in money}
        row |= {key: len(getattr(verdict, key)) for key in counts} | {"named": len(verdict.differences)}
        rows.append(row)
    columns = ["organisation", "accounts", "posted", "held", "why_held", "excluded", "deleted_in_xero"]
    screen.rows(
        "After three nights", [*columns, "lost", "duplicated", "qonto", "opening", "xero", "named", "unexplained"], rows
    )
    named = [difference for verdict in report.organisations for difference in verdict.differences]
    screen.rows("What differs, and why", ["transaction_id", "bank_transaction_id", "cents", "why"], named)
    for promise, holds in report.promises.items():
        screen.say(f"{'holds ' if holds else 'BROKEN'}  {promise}", style="green" if holds else "bold red")
    screen.say(f"{sum(v.posted for v in report.organisations)} transactions in Xero, {report.seconds} s")
