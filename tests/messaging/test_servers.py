"""The servers that the other tests stand on: they come up, keep what they must, and go without trace."""

import os
import subprocess
import sys
from pathlib import Path

import pika
import psycopg
import pytest

from tests.servers.packages import find_or_install
from tests.servers.postgres import running_postgres
from tests.servers.processes import ServerError, wait_until
from tests.servers.rabbitmq import RabbitmqServer

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]

STARTS_AND_DIES = """
import os, signal
from tests.servers.packages import find_or_install
from tests.servers.postgres import running_postgres

with running_postgres() as server:
    print(server._node._server.pid, server._node._folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_test_has_a_vhost_of_its_own(rabbitmq_server: RabbitmqServer, rabbitmq_url: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
    connection.channel().queue_declare("mine", durable=True, arguments={"x-queue-type": "quorum"})
    connection.close()

    assert "mine" not in rabbitmq_server.ctl("list_queues", "name")


def test_committed_rows_survive_kill_9_of_postgres() -> None:
    with running_postgres() as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (id int)")

        with server.outage():
            pass

        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_each_test_gets_an_empty_database(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE leftover (id int)")
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert tables == (1,)


def test_a_machine_that_can_bring_no_server_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.servers.packages.shutil.which", lambda _: None)

    with pytest.raises(ServerError, match=r"integration tests need no-such-server: .*the package rabbitmq-server"):
        find_or_install("no-such-server", places=["/usr/lib/nowhere"], package="rabbitmq-server")


def test_a_server_and_its_disk_are_gone_when_the_tests_are_killed() -> None:
    killed = subprocess.run(
        [sys.executable, "-c", STARTS_AND_DIES], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    pid, folder = killed.stdout.split()

    wait_until(lambda: not Path(folder).exists(), seconds=10, what="the disk to be removed")
    wait_until(lambda: not _exists(int(pid)), seconds=10, what="the server to end")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
