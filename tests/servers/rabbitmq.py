"""A real RabbitMQ for tests, with the levers that faults need."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from tests.servers.containers import engine_answers
from tests.servers.processes import wait_until
from tests.servers.rabbitmq_nodes import PASSWORD, USER, ContainerNode, PrivateNode, RabbitmqNode


class RabbitmqServer:
    """One RabbitMQ node that tests may stop, kill, starve and start again; its disk outlives all of that."""

    def __init__(self, node: RabbitmqNode) -> None:
        self._node = node

    @property
    def url(self) -> str:
        """The address of the default vhost; the same after every restart."""
        return self.url_of("/")

    def url_of(self, vhost: str) -> str:
        """The address of `vhost`."""
        return f"amqp://{USER}:{PASSWORD}@{self._node.host}:{self._node.port}/{quote(vhost, safe='')}"

    @property
    def pid(self) -> int:
        """The node's process."""
        return self._node.pid

    def start(self) -> None:
        """Boot the node and return when it accepts connections (about 8 s the first time)."""
        self._node.start()

    def stop(self) -> None:
        """Shut the node down in order."""
        self._node.stop()

    def kill(self) -> None:
        """End the node with kill -9, as a power cut would."""
        self._node.kill()

    def restart(self) -> None:
        """Shut the node down in order and boot it again."""
        self.stop()
        self.start()

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Dead by kill -9 inside the block, up again after it, whatever happened in it."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    def close(self) -> None:
        """End the node and remove everything it wrote."""
        self._node.close()

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` and return its output; raises `ServerError` when it fails."""
        return self._node.ctl(*arguments)

    def import_definitions(self, definitions: str) -> None:
        """Bring in users, vhosts, rights and queues, as JSON; what is there stays."""
        self._node.import_definitions(definitions)

    def purge(self, queue: str, *, vhost: str = "/") -> None:
        """Drop the messages that wait in `queue`."""
        self.ctl("purge_queue", queue, "--vhost", vhost)

    def delete_queue(self, queue: str, *, vhost: str = "/") -> None:
        """Remove `queue` with everything in it."""
        self.ctl("delete_queue", queue, "--vhost", vhost)

    def close_all_connections(self, *, vhost: str = "/") -> None:
        """Cut every client of `vhost` from the server's side."""
        self.ctl("close_all_connections", "--vhost", vhost, "closed by the tests")

    def set_disk_alarm(self, on: bool) -> None:
        """Make the node believe that its disk is full, which blocks every publisher, or is well again."""
        self.ctl("set_disk_free_limit", "9000GB" if on else "50MB")
        wait_until(lambda: self._disk_alarm_is_on() == on, seconds=15, what=f"the disk alarm to be {on}")

    def _disk_alarm_is_on(self) -> bool:
        return "disk" in self.ctl("eval", "rabbit_alarm:get_alarms().")

    @contextmanager
    def fresh_vhost(self) -> Iterator[str]:
        """The name of a new empty vhost, deleted with all its queues afterwards."""
        name = f"test-{secrets.token_hex(6)}"
        vhost, user, everything = f'<<"{name}">>', f'<<"{USER}">>', ", ".join(3 * ['<<".*">>'])
        self._node.evaluate(
            f"rabbit_vhost:add({vhost}, {user}), "
            f"rabbit_auth_backend_internal:set_permissions({user}, {vhost}, {everything}, {user})."
        )
        try:
            yield name
        finally:
            self._node.evaluate(f"rabbit_vhost:delete({vhost}, {user}).")


@contextmanager
def running_rabbitmq() -> Iterator[RabbitmqServer]:
    """A RabbitMQ server that is up, and gone without trace afterwards."""
    server = RabbitmqServer(ContainerNode() if engine_answers() else PrivateNode())
    try:
        server.start()
        yield server
    finally:
        server.close()
