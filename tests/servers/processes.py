"""Private server processes: free ports, output in a file, and no survivor whatever happens to the tests."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# Below the range Linux gives to outgoing connections (32768 and up): a restart finds its port free.
PORTS = range(20_000, 32_000)
POLL_SECONDS = 0.02
SLOWEST = 10  # times as slow as ours may a machine be: no test is judged by its speed

# Blocks until the tests' end of the pipe closes, which the kernel does even after kill -9 of the tests.
GUARD = 'read -r _; kill -s "$1" -- "-$2" 2>/dev/null; rm -rf -- "$3"'


class ServerError(Exception):
    """A server did not do what it was asked in time; the message carries the end of its output."""


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return as soon as `condition()` is true; raise `ServerError` naming `what` when it hangs.

    `seconds` are what an idle machine needs at most. It is called a hang after `SLOWEST` times as many.
    """
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + SLOWEST * seconds:
            raise ServerError(f"waited {time.monotonic() - began:.0f} s in vain for {what}")
        time.sleep(POLL_SECONDS)


def free_ports(count: int) -> list[int]:
    """`count` different ports on which nobody listens on loopback now."""
    found: set[int] = set()
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.add(port)
        if len(found) == count:
            return list(found)
    raise ServerError(f"no {count} free ports between {PORTS.start} and {PORTS.stop}")


def accepts_connections(port: int) -> bool:
    """True when something listens on `port` of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class PrivateProcess:
    """One server process in a session of its own, that dies with the tests even when they are killed.

    When the tests die first, a guard sends it `last_words` and removes `folder`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        folder: Path,
        user: str | None = None,
        last_words: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.output = folder / f"{Path(command[0]).name}.out"
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=env,
                cwd=folder,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", last_words.name[3:], str(self.pid), str(folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The process id of the server itself, not of a wrapper."""
        return self._process.pid

    def is_running(self) -> bool:
        """True until the process has exited, whatever the reason."""
        return self._process.poll() is None

    def end(self, how: signal.Signals, *, seconds: float = 30) -> None:
        """Send `how`, wait for the exit, kill it when that takes too long. Harmless when already ended."""
        if self.is_running():
            os.kill(self.pid, how)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._guard.kill()
        self._guard.communicate()

    def wait_until_listening(self, port: int, *, seconds: float) -> None:
        """Return when something listens on `port`; an earlier exit fails at once, with the last output."""
        wait_until(
            lambda: not self.is_running() or accepts_connections(port),
            seconds=seconds,
            what=f"{self.output.stem} to listen on port {port}",
        )
        if not self.is_running():
            raise ServerError(f"{self.output.stem} exited; its output ends with:\n{self.last_output()}")

    def last_output(self) -> str:
        """The last lines the process wrote."""
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-20:])
