"""What the soak does to processes and servers, each at its moment of the plan."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitmqServer
from tests.soak.backup import Backup, put_back, take_backup
from tests.soak.crew import GAGGED_THREADS, SCHEDULER, VICTIMS, Crew, GaggedWorker
from tests.soak.plan import FROZEN_SECONDS, Act, Scale, Step, steps
from tests.soak.tally import Tally
from tests.soak.town import Town

DOWN = timedelta(minutes=2)  # what a restore takes, by the world's clock
FROZEN_LEASH = timedelta(minutes=4)  # the world's clock goes on so far while somebody is frozen, past his lease
MOST_AGE = timedelta(minutes=12)  # of a backup: Xero takes a refresh token for 30 minutes after it was used
DEAD_SECONDS = 2.0
START_SECONDS = 5.0  # that a process takes until it has asked for its servers
RESTORED = "database restored from a backup"


class Hands:
    """`turn` does what is due. What a server's restart takes is waited for elsewhere, so that nobody waits here."""

    def __init__(
        self, scale: Scale, town: Town, crew: Crew, tally: Tally, postgres: PostgresServer, rabbitmq: RabbitmqServer
    ) -> None:
        self._scale, self._town, self._crew, self._tally = scale, town, crew, tally
        self._postgres, self._rabbitmq = postgres, rabbitmq
        self._due = steps(scale)
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._restarting: list[Future[None]] = []
        self._threads = ThreadPoolExecutor(1)
        self._down_until = 0.0
        self._frozen_at: datetime | None = None
        self._backup: Backup | None = None
        self.forgotten: tuple[datetime, datetime] | None = None
        self.gagged_turns: int | None = None
        self.not_done: list[str] = []  # planned, and did not happen
        self.warm_at = scale.warm_up_seconds  # by then every process that is not to die has warmed up
        crew.servers_are_down = self.servers_are_down

    def turn(self) -> None:
        """Whatever is due now; what needs a server that is away waits for it."""
        while self._due and self._due[0].at <= self._tally.seconds:
            self._do(self._due.pop(0))
        if self.servers_are_down():
            return
        for at, action in [later for later in self._later if later[0] <= self._tally.seconds]:
            self._later.remove((at, action))
            action()

    def rest(self) -> None:
        """Nothing more happens: what was begun is brought to its end."""
        self.not_done += [f"not done: {step.act}" for step in self._due]
        self.not_done += [] if self.forgotten else [f"not done: {RESTORED}"]
        self._due.clear()
        for restart in self._restarting:
            restart.result()
        for _, action in self._later:
            action()
        self._later.clear()
        self._threads.shutdown()

    def may_leap(self) -> bool:
        """Whether the world's clock may go on: a frozen worker's lease runs out, the life of a key does not."""
        return self._frozen_at is None or self._town.now() < self._frozen_at + FROZEN_LEASH

    def back_up(self) -> None:
        """Remember every row, while everybody works."""
        self._backup = take_backup(self._crew.company.database_url, self._town.now())
        self._tally.say(f"backup taken, {self._backup.megabytes:.1f} MiB")

    @property
    def has_backup(self) -> bool:
        return self._backup is not None and self.forgotten is None

    @property
    def backup_is_old(self) -> bool:
        return self._backup is not None and self._town.now() > self._backup.taken_at + MOST_AGE

    def restore(self) -> None:
        """The database is lost, and put back as it was; whoever was at work is dead."""
        assert self._backup
        company = self._crew.company
        self._crew.kill_all()
        self._town.advance(DOWN.total_seconds())
        name = urlsplit(company.database_url).path.lstrip("/")
        self._postgres.drop_database(name)
        self._postgres.create_database(name)
        assert company.run("db", "migrate").code == 0
        put_back(company.database_url, self._backup)
        taken_at = f"{self._backup.taken_at:%Y-%m-%dT%H:%M:%S}"
        ran = company.run("db", "restored", "--taken-at", taken_at, "--reason", "a soak")
        assert ran.code == 0, ran.err
        self.forgotten = (self._backup.taken_at, self._town.now())
        self._crew.start()
        self.warm_at = max(self.warm_at, self._tally.seconds + self._scale.warm_up_seconds / 2)
        self._tally.add(RESTORED)
        self._tally.say("restored")

    def _do(self, step: Step) -> None:
        victims = [name for name in VICTIMS if self._crew.pid(name) and not self._crew.is_frozen(name)]
        victim = victims[int(step.draw * len(victims))] if victims else VICTIMS[0]
        match step.act:
            case Act.KILL_WORKER:
                self._crew.kill(victim)
            case Act.KILL_SCHEDULER:
                self._crew.kill(SCHEDULER)
            case Act.FREEZE_WORKER:
                self._freeze(victim)
            case Act.BLOCK_LOG:
                gagged = self._crew.gag()
                self._after(self._scale.blocked_seconds, lambda: self._read_log(gagged))
            case Act.RESTART_BROKER:
                self._restart(self._rabbitmq)
            case Act.RESTART_DATABASE:
                self._restart(self._postgres)
        self._tally.add(step.act)
        self._tally.say(step.act)

    def servers_are_down(self) -> bool:
        """Or were a moment ago: a process that starts may have asked just before."""
        return self._tally.seconds < self._down_until or any(not restart.done() for restart in self._restarting)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._later.append((self._tally.seconds + seconds, action))

    def _freeze(self, victim: str) -> None:
        self._crew.freeze(victim)
        self._frozen_at = self._town.now()
        self._after(FROZEN_SECONDS, self._thaw)

    def _thaw(self) -> None:
        self._crew.thaw()
        self._frozen_at = None

    def _read_log(self, gagged: GaggedWorker) -> None:
        self.gagged_turns = gagged.turns()
        self._crew.dismiss(gagged)

    @property
    def gag_stopped_work(self) -> bool:
        """Whether each thread of the worker without a reader began one turn at most."""
        return self.gagged_turns is not None and self.gagged_turns <= GAGGED_THREADS

    def _restart(self, server: PostgresServer | RabbitmqServer) -> None:
        def restart() -> None:
            with server.outage():
                time.sleep(DEAD_SECONDS)
            self._down_until = self._tally.seconds + START_SECONDS

        self._restarting.append(self._threads.submit(restart))
