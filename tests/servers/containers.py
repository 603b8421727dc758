"""The same servers as containers, where a Docker engine answers."""

import gc
import warnings
from contextlib import closing
from functools import cache

from docker.errors import DockerException  # type: ignore[import-untyped]
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from tests.servers.processes import ServerError


@cache
def engine_answers() -> bool:
    """True when a Docker engine answers a ping. Asked once a session."""
    with warnings.catch_warnings():
        # docker-py leaves its socket to the garbage collector when nobody answers.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(DockerClient().client) as engine:
                return bool(engine.ping())
        except DockerException:
            return False
        finally:
            gc.collect()


class ServerContainer:
    """A container that can be stopped, killed and started again under the same port of this machine."""

    def __init__(self, image: str, *, env: dict[str, str], ports: dict[int, int]) -> None:
        self._container = DockerContainer(image, env=env)
        for inside, outside in ports.items():
            self._container.with_bind_ports(inside, outside)
        self._created = False

    def start(self) -> None:
        """Create the container, or start it again with the disk it had."""
        if self._created:
            self._container.get_wrapped_container().start()
            return
        self._container.start()
        self._created = True

    def stop(self) -> None:
        """Ask the server to end, and wait until it did."""
        self._container.get_wrapped_container().stop(timeout=30)

    def kill(self) -> None:
        """End the server with kill -9."""
        self._container.get_wrapped_container().kill("SIGKILL")
        self._container.get_wrapped_container().wait()

    def close(self) -> None:
        """Remove the container and its disk."""
        if self._created:
            self._container.stop(force=True)

    @property
    def pid(self) -> int:
        """Its first process, as the machine's kernel numbers it."""
        container = self._container.get_wrapped_container()
        container.reload()
        return int(container.attrs["State"]["Pid"])

    def run(self, *command: str) -> str:
        """Run `command` inside and return its output; raises `ServerError` when it fails."""
        code, output = self._container.exec(list(command))
        text: str = output.decode(errors="replace")
        if code:
            raise ServerError(f"{' '.join(command)} failed with {code}: {text}")
        return text
