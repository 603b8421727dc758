"""The product as it really runs: processes of its own, around a world, a database and a broker."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pika
import psycopg
import pytest
from click.testing import CliRunner
from playhouse.pool import PooledDatabase

from cli import main
from messaging.destinations import TOLD_EXCHANGE
from messaging.event_queues import EXCHANGE, declare_event_queues
from models.database import database as proxy
from tests.canaries import Canaries
from tests.checker import reader
from tests.events import KEY, KEY_ID
from tests.sandbox.world_client import READY, REPOSITORY, Party, WorldClient
from tests.servers.postgres import PostgresServer
from tests.servers.processes import PrivateProcess, wait_until
from tests.servers.rabbitmq import RabbitmqServer

PROGRAM = str(Path(sys.executable).with_name("qonto-xero"))
COMMAND_SECONDS = 600
PATIENCE_SECONDS = 30  # of real time, for anything that a test waits for
MONITOR = re.compile(r"how this process is: http://([^/]+)/readyz")
MONITOR_SECONDS = 60  # far more than any check of /readyz may take
LAST_BYTES = 6_000  # of each log, shown when a test fails

MORNING = "2026-11-20T08:00:00Z"  # transactions settled from then on are sent
EVENING = "2026-11-20T20:00:00Z"  # 21:00 in Paris
NIGHT = "2026-11-20T22:00:00Z"  # 23:00 in Paris: the night falls due
NIGHT_DATE = "2026-11-20"

PUTS = {"service": "xero", "method": "PUT", "path": "/BankTransactions$"}
RUNS_OF_A_NIGHT = "SELECT state FROM sync_run WHERE kind = 'nightly' AND local_date = %s"


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, which must be JSON and nothing else."""
        return json.loads(self.out)


class Process(PrivateProcess):
    """A command that goes on until it is told to stop. Its output is a file; it does not outlive the tests."""

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal and return at once."""
        os.kill(self.pid, number)

    def log(self) -> str:
        """Everything it wrote."""
        return self.output.read_text(errors="replace")

    def tells(self, path: str) -> tuple[int, str]:
        """What it answers, with which status, at the address that its log names; 0 when nobody answers."""
        told = MONITOR.search(self.log())
        if told is None:
            return 0, ""
        with closing(HTTPConnection(told[1], timeout=MONITOR_SECONDS)) as connection:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except OSError:
                return 0, ""


class Company:
    """Our own side: its settings, and every process that was started with them."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.settings = settings
        self.told: list[str] = []
        self.canaries: Canaries | None = None
        self.processes: list[Process] = []
        self.supervised: dict[str, tuple[str, ...]] = {}
        self.restarts: Counter[str] = Counter()
        self._started: dict[str, list[Process]] = {}
        self._at: dict[str, Process] = {}

    @property
    def database_url(self) -> str:
        return self.settings["DATABASE_URL"]

    def environment(self, **changes: str) -> dict[str, str]:
        """What a process of ours gets to see, and nothing of whoever runs the tests."""
        ours = {f"QONTO_XERO_{name}": value for name, value in (self.settings | changes).items()}
        return {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(REPOSITORY), **ours}

    def run(self, *arguments: str, stdin: str = "", **changes: str) -> Ran:
        """Run a command to its end."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            env=self.environment(**changes),
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        self.told.append(" ".join(arguments))
        return self._noted(Ran(done.returncode, done.stdout, done.stderr))

    def ask(self, *arguments: str, stdin: str = "", **changes: str) -> Ran:
        """The same without a process, thirty times faster; not for commands that go on until they are told to stop."""
        with _as_in_a_process_of_its_own():
            done = CliRunner().invoke(main, arguments, input=stdin, env=self.environment(**changes))
        if isinstance(proxy.obj, PooledDatabase):
            proxy.obj.close_all()
        assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
        return self._noted(Ran(done.exit_code, done.stdout, done.stderr))

    def _noted(self, ran: Ran) -> Ran:
        self.told += [ran.out, ran.err]
        return ran

    def start(self, *arguments: str) -> Process:
        """Start a command that goes on."""
        folder = self.folder / f"{len(self.processes)}-{arguments[0]}"
        folder.mkdir()
        process = Process([PROGRAM, *arguments], env=self.environment(), folder=folder)
        self.processes.append(process)
        self._started.setdefault(arguments[0], []).append(process)
        return process

    def running(self, command: str) -> list[Process]:
        """Its processes of that command that have not ended; a stopped one has not."""
        return [process for process in self._started.get(command, []) if process.is_running()]

    def keep_running(self, name: str, *arguments: str) -> Process:
        """Start a command, and start it again whenever it has ended, as a supervisor does. Looked at in `until`."""
        self.supervised[name] = arguments
        self._at[name] = self.start(*arguments)
        return self._at[name]

    def stop(self, name: str) -> None:
        """End, in order, what was kept running under that name."""
        self.supervised.pop(name)
        self._at[name].end(signal.SIGTERM)

    def supervise(self) -> None:
        """Start again what has ended and should not have."""
        for name, arguments in self.supervised.items():
            if not self._at[name].is_running():
                self.restarts[name] += 1
                self._at[name] = self.start(*arguments)

    def connect(self, party: Party, *options: str, follow: bool = False, alone: bool = False) -> Ran:
        """Connect an organisation by the command line, `alone` in a process, from files that hold its secrets.

        Unless `follow`, the accounts run that connecting asks for is lost, so that the night makes the accounts.
        """
        say = self.run if alone else self.ask
        ran = say(*self._connecting(party, MORNING, "Europe/Paris"), *options)
        if not follow:
            self.lose_accounts_runs()
        return ran

    def connect_at_once(
        self, party: Party, *, since: str = MORNING, zone: str = "Europe/Paris", follow: bool = False
    ) -> None:
        """The same, from another moment or in another zone; it must succeed."""
        ran = self.ask(*self._connecting(party, since, zone))
        if ran.code:
            raise RuntimeError(f"cannot connect {party.known['slug']}: {ran.err or ran.out}")
        if not follow:
            self.lose_accounts_runs()

    def _connecting(self, party: Party, since: str, zone: str) -> tuple[str, ...]:
        key, token = self.folder / f"{party.id}.key", self.folder / f"{party.id}.token"
        key.write_text(f"{party.known['qonto_login']}:{party.known['qonto_secret']}\n")
        token.write_text(party.known["xero_tokens"]["refresh_token"] + "\n")
        files = ("--qonto-key-file", str(key), "--xero-token-file", str(token))
        return ("connections", "add", *files, "--from", since.rstrip("Z"), "--time-zone", zone)

    def lose_accounts_runs(self) -> None:
        """The accounts runs that connecting asked for, gone without a trace, before any scheduler can wake them."""
        if self.running("scheduler"):
            raise RuntimeError("a scheduler may have woken the accounts run: connect first, or say follow=True")
        self.execute("DELETE FROM sync_run WHERE kind = 'accounts' AND state = 'due' AND turns = 0")

    def execute(self, statement: str) -> None:
        """Meddle with the database, whichever it is, without any code of the product."""
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"))) as connection:
                connection.execute(statement)
                connection.commit()
        else:
            self.query(statement)

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What the database says, asked without any code of the product."""
        with psycopg.connect(self.database_url, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def query_file(self, statement: str) -> list[tuple[Any, ...]]:
        """The same for a company whose database is a file."""
        with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(statement).fetchall()

    def dump(self) -> list[str]:
        """Everything in the company's database file, but for the count of its calls to Xero."""
        with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"))) as connection:
            return [line for line in connection.iterdump() if not line.startswith('INSERT INTO "call_budget"')]

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Return as soon as `condition()` holds; a database that is away says no."""

        def holds() -> bool:
            self.supervise()
            with suppress(psycopg.OperationalError):
                return condition()
            return False

        wait_until(holds, seconds=seconds, what=what)

    def until_night_is_done(self, date: str = NIGHT_DATE, organisations: int = 1) -> None:
        """Return when every organisation's run of that local date is done."""
        self.until(
            lambda: [state for (state,) in self.query(RUNS_OF_A_NIGHT, date)] == ["done"] * organisations,
            f"{organisations} runs of {date} to be done",
        )

    def until_waiting(self, runs: int = 1) -> None:
        """Return when so many runs wait for a later moment."""
        waiting = "SELECT count(*) FROM sync_run WHERE state = 'waiting'"
        self.until(lambda: self.query(waiting) == [(runs,)], f"{runs} runs to wait")

    def close(self) -> None:
        """Kill what still runs, show what each process wrote, and look for secrets in all that is left of them."""
        for process in self.processes:
            process.end(signal.SIGKILL)
        for process in self.processes:
            sys.stdout.write(
                f"--- {process.output.parent.name}: exit {process.exit_code}\n{process.log()[-LAST_BYTES:]}\n"
            )
        if self.canaries:
            logs = [(f"the log of {process.output.parent.name}", process.log()) for process in self.processes]
            told = [("what was printed", text) for text in self.told]
            seen = self.canaries.seen_in(logs, words=True) + self.canaries.seen_in([*told, *self._stored()])
            assert seen == []

    def _stored(self) -> Iterator[tuple[str, str]]:
        """Each table as text; none where the database is gone."""
        if self.database_url.startswith("sqlite"):
            yield "the database file", "\n".join(self.dump())
            return
        with suppress(psycopg.OperationalError):
            for (table,) in self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                rows = self.query(f'SELECT t::text FROM "{table}" AS t')
                yield f"table {table}", "\n".join(text for (text,) in rows)


class Broker:
    """A look into the queues, and a hand in them."""

    def __init__(self, url: str, vhost: str, server: RabbitmqServer) -> None:
        self._parameters = pika.URLParameters(url)
        self._vhost = vhost
        self._server = server

    def waiting(self, queue: str) -> int:
        """How many messages of `queue` no worker holds."""
        with pika.BlockingConnection(self._parameters) as connection:
            answer: Any = connection.channel().queue_declare(queue, passive=True)
            return int(answer.method.message_count)

    def is_read(self, queue: str) -> bool:
        """Whether somebody reads `queue`."""
        return queue in self._server.ctl("list_consumers", "--vhost", self._vhost, "--silent", "queue_name").split()

    def take(self, queue: str) -> list[bytes]:
        """Take every message that waits in `queue`."""
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            bodies = []
            while (found := channel.basic_get(queue, auto_ack=True))[0]:
                bodies.append(found[2])
            return bodies

    def publish(self, queue: str, bodies: list[bytes]) -> None:
        """Put these into `queue`, durably."""
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            for body in bodies:
                channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2))

    def tell(self, events: Sequence[dict[str, Any]]) -> None:
        """Publish events of the world's Qonto as it would, in this order."""
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            declare_event_queues(channel)
            channel.confirm_delivery()
            for event in events:
                properties = pika.BasicProperties(delivery_mode=2, headers=event["headers"])
                channel.basic_publish(EXCHANGE, event["type"], event["body"].encode(), properties)

    def bind(self, queue: str, key: str) -> None:
        """Declare a queue as Qonto's core does, and bind it to what we tell."""
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            channel.exchange_declare(TOLD_EXCHANGE, "topic", durable=True)
            channel.queue_declare(queue, durable=True)
            channel.queue_bind(queue, TOLD_EXCHANGE, key)

    def purge(self) -> None:
        """Empty every queue."""
        self._each_queue("queue_purge")

    def delete(self) -> None:
        """Remove every queue with what is in it."""
        self._each_queue("queue_delete")

    def _each_queue(self, action: str) -> None:
        names = self._server.ctl("list_queues", "--vhost", self._vhost, "--silent", "name").split()
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            for name in names:
                getattr(channel, action)(name)


@contextmanager
def _as_in_a_process_of_its_own() -> Iterator[None]:
    """Who is told to stop, and where the log goes, are afterwards as they were."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    root = logging.getLogger()
    kept = {number: signal.getsignal(number) for number in numbers}
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        for number, handler in kept.items():
            signal.signal(number, handler)


def in_xero(party: Party) -> Counter[str]:
    """How often Xero has each Qonto transaction, deleted ones counted, from the world's own books."""
    rows = party.ledger()["bank_transactions"]
    return Counter(row["url"].rsplit("/", 1)[-1] for row in rows if row["made_by"] == "api")


def in_qonto(party: Party) -> Counter[str]:
    """What Xero should have, each once: settled, not of an account at another bank, not zero."""
    ledger = party.world.control("GET", f"/qonto/{party.id}/ledger")
    external = {account["id"] for account in ledger["accounts"] if account["is_external"]}
    return Counter(
        row["id"]
        for row in ledger["transactions"]
        if row["status"] == "completed" and row["amount_cents"] and row["account_id"] not in external
    )


def puts(world: WorldClient, party: Party | None = None) -> list[dict[str, Any]]:
    """The requests that wrote bank transactions and have ended, as the world logged them."""
    tenant = f"&tenant={party.tenant}" if party else ""
    return world.requests_made(f"service=xero&method=PUT&path=/BankTransactions${tenant}")


def payments(count: int) -> list[dict[str, Any]]:
    """So many payments, settled now, no two of the same amount."""
    return [{"amount_cents": 1_00 + number, "label": f"Payment {number}"} for number in range(count)]


def at(world: WorldClient, moment: str) -> None:
    """Move the world's clock to a moment."""
    world.control("POST", "/clock", {"now": moment})


@pytest.fixture(scope="session")
def town_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The world as the command line starts it."""
    company = Company(tmp_path_factory.mktemp("town"), {})
    try:
        sandbox = company.start("sandbox", "--port", "0")
        company.until(lambda: READY in sandbox.log() or not sandbox.is_running(), "the sandbox to be ready")
        assert READY in sandbox.log(), sandbox.log()
        yield sandbox.log().split(READY)[1].split()[0]
    finally:
        company.close()


@pytest.fixture
def town(town_url: str) -> Iterator[WorldClient]:
    """The world, empty, in the evening."""
    client = WorldClient(town_url)
    client.control("DELETE", "/faults")
    client.control("POST", "/reset")
    at(client, EVENING)
    with client.session:
        yield client


def company_settings(world_url: str, database_url: str, broker_url: str) -> dict[str, str]:
    """Every setting that a company around a world needs."""
    return {
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url,
        "ENCRYPTION_KEYS": "test:" + base64.b64encode(os.urandom(32)).decode(),
        "XERO_API_URL": f"{world_url}/xero",
        "XERO_IDENTITY_URL": f"{world_url}/identity",
        "XERO_LOGIN_URL": f"{world_url}/identity",
        "XERO_CLIENT_ID": "sandbox-xero-client",
        "XERO_CLIENT_SECRET": "sandbox-xero-secret",
        "QONTO_API_URL": f"{world_url}/qonto",
        "QONTO_OAUTH_URL": f"{world_url}/qonto",
        "QONTO_CLIENT_ID": "sandbox-qonto-client",
        "QONTO_CLIENT_SECRET": "sandbox-qonto-secret",
        "CLOCK_URL": world_url,
        "EVENT_KEYS": f"{KEY_ID}:{base64.b64encode(KEY).decode()}",
    }


@contextmanager
def telling(world: WorldClient, broker_url: str) -> Iterator[None]:
    """Inside the block, the world's Qonto tells of accounts on this RabbitMQ."""
    key = {"key_id": KEY_ID, "key": base64.b64encode(KEY).decode()}
    world.control("POST", "/core", {"broker_url": broker_url, **key})
    try:
        yield
    finally:
        world.control("POST", "/core", {"broker_url": None})


@pytest.fixture(scope="session")
def migrated(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a migrated PostgreSQL database to copy."""
    with postgres_server.fresh_database() as name:
        settings = {"DATABASE_URL": postgres_server.url_of(name)}
        done = Company(tmp_path_factory.mktemp("migration"), settings).run("db", "migrate")
        assert done.code == 0, done.err
        yield name


@pytest.fixture
def company(
    town: WorldClient, postgres_server: PostgresServer, migrated: str, rabbitmq_url: str, tmp_path: Path
) -> Iterator[Company]:
    """A company with a migrated PostgreSQL and an empty RabbitMQ of its own, and nothing running yet."""
    with postgres_server.fresh_database(template=migrated) as database:
        company = Company(tmp_path, company_settings(town.url, postgres_server.url_of(database), rabbitmq_url))
        company.canaries = Canaries(reader(town))
        try:
            with telling(town, rabbitmq_url):
                yield company
        finally:
            company.close()


@pytest.fixture
def broker(rabbitmq_url: str, rabbitmq_vhost: str, rabbitmq_server: RabbitmqServer) -> Broker:
    """The company's RabbitMQ."""
    return Broker(rabbitmq_url, rabbitmq_vhost, rabbitmq_server)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    folder = tmp_path_factory.mktemp("migration")
    done = Company(folder, {"DATABASE_URL": "sqlite:///migrated.sqlite3"}).run("db", "migrate")
    assert done.code == 0, done.err
    return folder / "migrated.sqlite3"


@pytest.fixture
def small_company(town: WorldClient, migrated_file: Path, tmp_path: Path) -> Iterator[Company]:
    """A company on one machine: a migrated SQLite file, no broker."""
    shutil.copy(migrated_file, tmp_path / "company.sqlite3")
    company = Company(tmp_path, company_settings(town.url, f"sqlite:///{tmp_path}/company.sqlite3", "memory://"))
    company.canaries = Canaries(reader(town))
    try:
        yield company
    finally:
        company.close()
