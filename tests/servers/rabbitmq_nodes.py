"""Two ways to run one RabbitMQ node: as a private process, or as a container."""

import base64
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Protocol

from tests.servers.containers import ServerContainer
from tests.servers.packages import find_or_install
from tests.servers.processes import PrivateProcess, ServerError, free_ports

IMAGE = "rabbitmq:3.13.7-alpine"
USER = PASSWORD = "test"
BOOT_SECONDS = 60

# Not Debian's command of the same name: that is a wrapper, which changes user and home.
PLACES = [
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "/opt/rabbitmq*/sbin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/usr/local/opt/rabbitmq/sbin",
]


class RabbitmqNode(Protocol):
    """What `RabbitmqServer` needs of a node, wherever it runs."""

    host: str
    port: int

    @property
    def pid(self) -> int:
        """Its first process; others may be children of it. Only while it runs."""

    def start(self) -> None:
        """Boot the node, with the disk it had, and return when it accepts connections."""

    def stop(self) -> None:
        """Shut the node down in order."""

    def kill(self) -> None:
        """End the node with kill -9."""

    def close(self) -> None:
        """End the node and remove its disk."""

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` and return its output; raises `ServerError` when it fails."""

    def import_definitions(self, definitions: str) -> None:
        """Bring in users, vhosts, rights and queues, as JSON; what is there stays."""

    def evaluate(self, expression: str) -> None:
        """Run Erlang on the node, which must not answer an error: milliseconds, where `ctl` takes 0.4 s."""


class ContainerNode:
    """A node in a container with a pinned image."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        (self.port,) = free_ports(1)
        env = {"RABBITMQ_DEFAULT_USER": USER, "RABBITMQ_DEFAULT_PASS": PASSWORD}
        self._container = ServerContainer(IMAGE, env=env, ports={5672: self.port})

    def start(self) -> None:
        self._container.start()
        self.ctl("await_startup", "--timeout", str(BOOT_SECONDS))

    def stop(self) -> None:
        self._container.stop()

    def kill(self) -> None:
        self._container.kill()

    @property
    def pid(self) -> int:
        return self._container.pid

    def close(self) -> None:
        self._container.close()

    def ctl(self, *arguments: str) -> str:
        return self._container.run("rabbitmqctl", *arguments)

    def import_definitions(self, definitions: str) -> None:
        packed = base64.b64encode(definitions.encode()).decode()
        self._container.run("sh", "-c", f"echo {packed} | base64 -d | rabbitmqctl import_definitions")

    def evaluate(self, expression: str) -> None:
        self.ctl("eval", expression)


class PrivateNode:
    """A node of our own: its name, ports, cookie, disk and port mapper are in no other node's way."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port, distribution_port, mapper_port = free_ports(3)
        self._scripts = find_or_install("rabbitmq-server", places=PLACES, package="rabbitmq-server").parent
        self._folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
        self._name = f"test-{secrets.token_hex(4)}@localhost"
        self._cookie = secrets.token_hex(16)
        self._mapper_port = mapper_port
        self._mapper: PrivateProcess | None = None
        self._node: PrivateProcess | None = None
        self._env = self._write_configuration(distribution_port)

    def _write_configuration(self, distribution_port: int) -> dict[str, str]:
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {self.host}:{self.port}\n"
            f"default_user = {USER}\ndefault_pass = {PASSWORD}\n"
            "log.file.level = warning\ndisk_free_limit.absolute = 50MB\n"
        )
        (self._folder / "enabled_plugins").write_text("[].\n")
        (self._folder / "rabbitmq-env.conf").touch()
        cookie = self._folder / ".erlang.cookie"
        cookie.write_text(self._cookie)
        cookie.chmod(0o400)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self._folder),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": self.host,
            "ERL_CRASH_DUMP": str(self._folder / "crash.dump"),
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_CTL_DIST_PORT_MIN": "10000",
            "RABBITMQ_CTL_DIST_PORT_MAX": "19999",
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            # The start script then becomes the node instead of its parent, so its pid is the one to kill.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def start(self) -> None:
        if self._mapper is None:
            # Started by us and in the foreground, because the one a node starts by itself outlives it.
            self._mapper = PrivateProcess(["epmd"], env=self._env, folder=self._folder)
            self._mapper.wait_until_listening(self._mapper_port, seconds=10)
        program = str(self._scripts / "rabbitmq-server")
        self._node = PrivateProcess([program], env=self._env, folder=self._folder)
        self._node.wait_until_listening(self.port, seconds=BOOT_SECONDS)
        self.ctl("await_startup", "--timeout", str(BOOT_SECONDS))

    @property
    def pid(self) -> int:
        assert self._node is not None
        return self._node.pid

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._node is not None:
            self._node.end(how)
            self._node = None

    def close(self) -> None:
        self.kill()
        if self._mapper is not None:
            self._mapper.end(signal.SIGKILL)
            self._mapper = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def ctl(self, *arguments: str) -> str:
        return self._run([str(self._scripts / "rabbitmqctl"), *arguments])

    def import_definitions(self, definitions: str) -> None:
        self._run([str(self._scripts / "rabbitmqctl"), "import_definitions"], stdin=definitions)

    def evaluate(self, expression: str) -> None:
        call = ["erl_call", "-c", self._cookie, "-n", self._name, "-e"]
        answer = self._run(call, stdin=f"{expression}\n")
        if not answer.startswith("{ok, ") or answer.startswith("{ok, {error"):
            raise ServerError(f"RabbitMQ answered {answer} to {expression}")

    def _run(self, command: list[str], *, stdin: str = "") -> str:
        done = subprocess.run(
            command,
            env=self._env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=BOOT_SECONDS,
            check=False,
        )
        if done.returncode:
            raise ServerError(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")
        return done.stdout
