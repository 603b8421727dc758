"""Our own side: a scheduler and workers under a supervisor, and the hands that kill, freeze and gag them."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

from tests.acceptance.processes import PROGRAM, Company, Process
from tests.soak.tally import Tally

SCHEDULER, STEADY, GAGGED = "scheduler", "steady worker", "gagged worker"
VICTIMS = ("worker 1", "worker 2")
UNREACHABLE = 3  # the exit code of a command that cannot reach a server
PIPE_BYTES = 4096
GAGGED_THREADS = 2

WATCH_LEASES = """
    CREATE TABLE IF NOT EXISTS soak_lease (taken_by TEXT NOT NULL, taken_over BOOLEAN NOT NULL);
    CREATE OR REPLACE FUNCTION soak_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO soak_lease VALUES (current_setting('application_name'), OLD.owner <> ''); RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER soak_lease AFTER UPDATE ON lease FOR EACH ROW
        WHEN (NEW.owner <> '' AND OLD.owner <> NEW.owner) EXECUTE FUNCTION soak_lease()
"""
TAKE_OVERS = "SELECT count(*) FROM soak_lease WHERE taken_over"
TAKEN_BY = "SELECT count(*) FROM soak_lease WHERE taken_by = %s"


class Crew:
    """Named processes. Whoever ends is started again; whoever ended without being told to is remembered."""

    def __init__(self, company: Company, tally: Tally) -> None:
        self.company = company
        self.restarts = 0
        self.unasked: list[str] = []
        self.frozen: Process | None = None
        self.servers_are_down: Callable[[], bool] = lambda: False  # only then may a start fail
        self._tally = tally
        self._at: dict[str, Process] = {}
        self._doomed: set[int] = set()
        self._earlier_take_overs = 0

    def start(self) -> None:
        """Everybody, with the database counting who takes which lease."""
        self.company.query(WATCH_LEASES)
        for name in (SCHEDULER, STEADY, *VICTIMS):
            self._at[name] = self._started(name)

    def pid(self, name: str) -> int | None:
        """None while it does not run."""
        process = self._at.get(name)
        return process.pid if process and process.is_running() else None

    def supervise(self) -> None:
        """Start again whoever has ended."""
        for name, process in self._at.items():
            if not process.is_running():
                if process.exit_code == UNREACHABLE and self.servers_are_down():
                    self._tally.add("process that found a server away, and ended")
                elif process.pid not in self._doomed:
                    self.unasked.append(f"{name} ended by itself with {process.exit_code}: {process.last_output()}")
                self.restarts += 1
                self._at[name] = self._started(name)

    def kill(self, name: str) -> None:
        """kill -9; a frozen one dies too."""
        process = self._at[name]
        if process is self.frozen:
            self.frozen = None
        self._doomed.add(process.pid)
        process.end(signal.SIGKILL)

    def kill_all(self) -> None:
        """Nobody is left, and nobody is started until `start`, be it on another database."""
        self._earlier_take_overs = self.take_overs()
        for name in self._at:
            self.kill(name)
        self._at.clear()

    def freeze(self, name: str) -> None:
        self.frozen = self._at[name]
        self.frozen.signal(signal.SIGSTOP)

    def is_frozen(self, name: str) -> bool:
        return self.frozen is not None and self._at.get(name) is self.frozen

    def thaw(self) -> None:
        """Harmless when nobody is frozen."""
        if self.frozen and self.frozen.is_running():
            self.frozen.signal(signal.SIGCONT)
        self.frozen = None

    def gag(self) -> GaggedWorker:
        """One more worker, whose log goes into a pipe that nobody reads."""
        gagged = GaggedWorker(self.company)
        self._at[GAGGED] = gagged.process
        return gagged

    def dismiss(self, gagged: GaggedWorker) -> None:
        """Read its log to the end and let it go."""
        gagged.read_on()
        self._at.pop(GAGGED, None)
        if not gagged.process.is_running():
            self.unasked.append(f"{GAGGED} ended by itself with {gagged.process.exit_code}")
        gagged.process.end(signal.SIGTERM)
        gagged.close()

    def take_overs(self) -> int:
        ((count,),) = self.company.query(TAKE_OVERS)
        return self._earlier_take_overs + int(count)

    def _started(self, name: str) -> Process:
        return self.company.start("scheduler" if name == SCHEDULER else "worker")


class GaggedWorker:
    """A worker whose standard error is a full pipe; `read_on` begins to read it."""

    def __init__(self, company: Company) -> None:
        folder = company.folder / f"{len(company.processes)}-gagged"
        folder.mkdir()
        pipe = folder / "log"
        os.mkfifo(pipe)
        self._reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._reader, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        _fill(pipe)
        os.set_blocking(self._reader, True)
        command = ["sh", "-c", f"exec {PROGRAM} worker --threads {GAGGED_THREADS} 2>{pipe}"]
        env = company.environment() | {"PGAPPNAME": GAGGED}  # so the database knows whose turns are its
        self.process = Process(command, env=env, folder=folder)
        company.processes.append(self.process)
        self._company = company
        self._thread = Thread(target=self._read, name="log reader", daemon=True)

    def turns(self) -> int:
        """How many it has begun; gagged threads that wait for their log have begun one each."""
        ((count,),) = self._company.query(TAKEN_BY, GAGGED)
        return int(count)

    def read_on(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._thread.join(10)
        os.close(self._reader)

    def _read(self) -> None:
        while os.read(self._reader, 65_536):
            pass


def _fill(pipe: Path) -> None:
    writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    try:
        with suppress(BlockingIOError):
            while True:
                os.write(writer, b"\n")
    finally:
        os.close(writer)
