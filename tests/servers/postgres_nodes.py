"""Two ways to run one PostgreSQL: as a private process, or as a container."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

import psycopg

from tests.servers.containers import ServerContainer
from tests.servers.packages import find_or_install
from tests.servers.processes import PrivateProcess, ServerError, free_ports, wait_until

IMAGE = "postgres:16.9-alpine"
USER = PASSWORD = "test"
START_SECONDS = 30

PLACES = ["/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"]


class PostgresNode(Protocol):
    """What `PostgresServer` needs of a PostgreSQL, wherever it runs."""

    host: str
    port: int

    @property
    def pid(self) -> int:
        """Its first process; others may be children of it. Only while it runs."""

    def start(self) -> None:
        """Start, with the disk it had, and return when it answers."""

    def stop(self) -> None:
        """Shut down in order; open connections are cut."""

    def kill(self) -> None:
        """End the postmaster with kill -9."""

    def close(self) -> None:
        """End it and remove its disk."""


def url_of(node: PostgresNode, database: str) -> str:
    """The address of `database` on `node`."""
    return f"postgresql://{USER}:{PASSWORD}@{node.host}:{node.port}/{database}"


def answers(node: PostgresNode) -> bool:
    """True when `node` serves a query."""
    try:
        with psycopg.connect(url_of(node, "postgres"), connect_timeout=5) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


class ContainerPostgres:
    """PostgreSQL in a container with a pinned image."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        (self.port,) = free_ports(1)
        env = {"POSTGRES_USER": USER, "POSTGRES_PASSWORD": PASSWORD, "POSTGRES_DB": "postgres"}
        self._container = ServerContainer(IMAGE, env=env, ports={5432: self.port})

    def start(self) -> None:
        self._container.start()
        wait_until(lambda: answers(self), seconds=START_SECONDS, what="PostgreSQL to answer")

    def stop(self) -> None:
        self._container.stop()

    def kill(self) -> None:
        self._container.kill()

    @property
    def pid(self) -> int:
        return self._container.pid

    def close(self) -> None:
        self._container.close()


class PrivatePostgres:
    """PostgreSQL of our own in a temporary folder, on loopback only, every commit flushed to disk."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        (self.port,) = free_ports(1)
        self._programs = find_or_install("postgres", places=PLACES, package="postgresql").parent
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._server: PrivateProcess | None = None
        # PostgreSQL refuses to run as root; Debian's package brings this user.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._env = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(self._folder)}
        if self._user is not None:
            shutil.chown(self._folder, self._user, self._user)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _create_cluster(self) -> None:
        options = ["-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(
            [str(self._programs / "initdb"), "-D", str(self._data), *options],
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            env=self._env,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ServerError(f"initdb failed: {done.stdout}{done.stderr}")

    def start(self) -> None:
        if not self._data.exists():
            self._create_cluster()
        # After kill -9 the former children hold the shared memory a moment longer, and a start fails.
        wait_until(self._try_to_start, seconds=START_SECONDS, what="PostgreSQL to answer")

    def _try_to_start(self) -> bool:
        if self._server is None:
            options = [
                f"--listen_addresses={self.host}",
                "--unix_socket_directories=",
                "--max_connections=200",
            ]
            self._server = PrivateProcess(
                [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port), *options],
                env=self._env,
                folder=self._folder,
                user=self._user,
                last_words=signal.SIGQUIT,
            )
        if self._server.is_running():
            return answers(self)
        self._end(signal.SIGKILL)
        return False

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._server is not None:
            self._server.end(how)
            self._server = None

    def close(self) -> None:
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)
