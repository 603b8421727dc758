"""What a fault test works with: a company whose processes can be struck at named places, and the quiet afterwards."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.acceptance.processes import Company, Process, payments
from tests.checker import check_world
from tests.sandbox.world_client import Party, WorldClient
from tests.servers.postgres import PostgresServer
from tests.servers.processes import wait_until
from tests.servers.tcp_proxy import TcpProxy

QUIET_SECONDS = 60  # of real time, until everything is quiet after a fault
STILL_SECONDS = 2.5  # without a sign of work, longer than the scheduler's tick: then the world's clock moves on
STILL_LOOKS = 25  # fewer than an idle machine takes in that time
COMMANDS = ("scheduler", "worker")

OPEN_WORK = """
    SELECT (SELECT count(*) FROM sync_run WHERE state NOT IN ('done', 'failed', 'caught_up'))
         + (SELECT count(*) FROM posting_batch WHERE state <> 'resolved' AND connection_id IN
               (SELECT id FROM connection WHERE state <> 'disconnected'))
         + (SELECT count(*) FROM outbox_message WHERE sent_at IS NULL)
         + (SELECT count(*) FROM outbox_event WHERE sent_at IS NULL)
         + (SELECT count(*) FROM lease WHERE owner <> '')
         + (SELECT count(*) FROM inbox_event WHERE handled_at IS NULL)
"""
SIGNS_OF_WORK = """
    SELECT (SELECT max(fence) || ' ' || max(expires_at) FROM lease), (SELECT count(*) FROM posting_event),
           (SELECT string_agg(state || turns || wake_at, ' ' ORDER BY id) FROM sync_run),
           (SELECT string_agg(state || sends, ' ' ORDER BY id) FROM posting_batch),
           (SELECT count(*) FROM outbox_message WHERE sent_at IS NULL)
"""
NEXT_MOMENT = """
    SELECT min(moment) FROM (
        SELECT wake_at AS moment FROM sync_run WHERE state NOT IN ('done', 'failed', 'caught_up')
        UNION ALL SELECT expires_at FROM lease WHERE owner <> ''
        UNION ALL SELECT announced_at + interval '5 minutes' FROM inbox_event WHERE handled_at IS NULL
    ) AS moments WHERE moment > %s
"""


@dataclass(frozen=True)
class Failpoints:
    """The folder in which processes look for what a test has armed; failpoints.py says which actions there are."""

    folder: Path

    def arm(self, name: str, action: str) -> None:
        """Strike whoever comes to `name` next; `kill always` strikes each time."""
        self.folder.joinpath(f"{name}.fired").unlink(missing_ok=True)
        draft = self.folder / f".{name}"
        draft.write_text(action)
        draft.rename(self.folder / name)

    def fired(self, name: str) -> bool:
        """Whether it has struck since it was armed."""
        return self.folder.joinpath(f"{name}.fired").exists()

    def disarm(self) -> None:
        """Nothing strikes any more."""
        for armed in self.folder.iterdir():
            armed.unlink(missing_ok=True)


class FaultyCompany(Company):
    """A company whose processes may be led through proxies.

    `routes` are settings for processes only: what the test itself asks goes straight to the servers.
    """

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        super().__init__(folder, settings)
        self.routes: dict[str, str] = {}

    def environment(self, **changes: str) -> dict[str, str]:
        return super().environment(**(self.routes | changes))

    def until_ended(self, process: Process, seconds: float = 30) -> int:
        """Its exit code: negative when a signal ended it."""
        wait_until(lambda: process.exit_code is not None, seconds=seconds, what="a process to end")
        assert process.exit_code is not None
        return process.exit_code


@dataclass(frozen=True)
class Known:
    """An organisation of the world, as the checker wants it."""

    id: str
    tenant: str


@dataclass
class Aftermath:
    """Faults off, run until quiet, and ask the one checker: the end of every fault test.

    `missing`, `doubtful` and `forgotten` are what the test declares to the checker; `proxies` are healed first.
    """

    company: FaultyCompany
    town: WorldClient
    failpoints: Failpoints
    proxies: list[TcpProxy] = field(default_factory=list)
    missing: Mapping[str, str] | None = None
    doubtful: Mapping[str, str] | None = None
    forgotten: tuple[datetime, datetime] | None = None

    def __call__(self) -> None:
        """Raises what is wrong with the world."""
        self._end_faults()
        self.until_quiet()
        told = check_world(
            *(self.town, self.company.database_url, self.customers()),
            missing=self.missing,
            doubtful=self.doubtful,
            forgotten=self.forgotten,
        )
        assert not told.problems, "\n".join([*told.problems, str(told)])

    def customers(self) -> list[Known]:
        """Every organisation of the world that has a Xero side."""
        organisations = self.town.control("GET", "/organisations")["organisations"]
        return [Known(row["organisation_id"], row["tenant_id"]) for row in organisations if row["tenant_id"]]

    def until_quiet(self, seconds: float = QUIET_SECONDS) -> None:
        """Return when nothing is open. Where everybody waits for a later moment, the world's clock goes there."""
        for command in COMMANDS:
            if not self.company.running(command) and command not in self.company.supervised:
                self.company.keep_running(command, command)
        still = Stillness()

        def is_quiet() -> bool:
            self.company.supervise()
            with suppress(psycopg.OperationalError):
                if self.company.query(OPEN_WORK) == [(0,)]:
                    return True
                if still.lasts(self._signs()):
                    self._move_on()
            return False

        wait_until(is_quiet, seconds=seconds, what="the company to be quiet after the fault")

    def now(self) -> datetime:
        """The world's clock."""
        return datetime.fromisoformat(self.town.control("GET", "/clock")["now"])

    def _end_faults(self) -> None:
        self.failpoints.disarm()
        for proxy in self.proxies:
            proxy.heal()
        self.town.control("DELETE", "/faults")
        for process in self.company.processes:
            if process.is_running():
                process.signal(signal.SIGCONT)

    def _signs(self) -> Any:
        answered = self.town.control("GET", "/requests?limit=1")["last_id"]
        under_way = self.town.control("GET", "/requests/open")["requests"]
        return [self.company.query(SIGNS_OF_WORK), answered, len(under_way)]

    def _move_on(self) -> None:
        now = self.now()
        ((moment,),) = self.company.query(NEXT_MOMENT, now)
        self.town.advance(max(1.0, (moment - now + timedelta(seconds=1)).total_seconds()) if moment else 60)


class Stillness:
    """Whether something has stayed the same for a while; asked again after it said so, it starts anew.

    A while is so many seconds, and so many looks: a machine that is slow for the looks is slow for those looked at.
    """

    def __init__(self, seconds: float = STILL_SECONDS) -> None:
        self._seconds = seconds
        self._seen: Any = None
        self._since = time.monotonic()
        self._looks = 0

    def lasts(self, seen: Any) -> bool:
        now = time.monotonic()
        if seen != self._seen:
            self._seen, self._since, self._looks = seen, now, 0
        self._looks += 1
        if now - self._since < self._seconds or self._looks < STILL_LOOKS:
            return False
        self._since, self._looks = now, 0
        return True


def night_of(company: FaultyCompany, town: WorldClient, *rows: int) -> list[Party]:
    """Connected organisations that made so many payments each this evening; the night has not begun."""
    parties = [town.organisation(name=f"Bar {number}") for number in range(len(rows))]
    for party, count in zip(parties, rows, strict=True):
        party.pay(*payments(count))
        connected = company.connect(party)
        assert connected.code == 0, connected.err
    return parties


@contextmanager
def stopped_clock(town: WorldClient, moment: datetime | None = None) -> Iterator[None]:
    """The world's clock stands still inside the block, at this moment or now: what takes long there is not late."""
    now = {"now": moment.isoformat()} if moment else {}
    town.control("POST", "/clock", {**now, "frozen": True})
    try:
        yield
    finally:
        town.control("POST", "/clock", {"frozen": False})


@contextmanager
def read_only(company: FaultyCompany, postgres_server: PostgresServer) -> Iterator[None]:
    """The company's database takes nothing inside the block, from whoever is connected to it or connects."""
    name = company.database_url.rsplit("/", 1)[-1]
    with psycopg.connect(postgres_server.url, autocommit=True) as somebody:
        somebody.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        somebody.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            yield
        finally:
            somebody.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
            somebody.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


@contextmanager
def proxied(url: str) -> Iterator[tuple[TcpProxy, str]]:
    """A proxy in front of the server of `url`, and the address that leads through it."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    proxy = TcpProxy(parts.hostname, parts.port)
    try:
        where = f"{parts.username}:{parts.password}@{proxy.host}:{proxy.port}"
        yield proxy, parts._replace(netloc=where).geturl()
    finally:
        proxy.close()
