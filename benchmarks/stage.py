"""The servers and processes that a figure is measured on: each figure gets an empty world and an empty company."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.progress import say
from tests.acceptance.processes import EVENING, Broker, Company, at, company_settings
from tests.sandbox.world_client import WorldClient, world_process
from tests.servers.postgres import PostgresServer, running_postgres
from tests.servers.rabbitmq import RabbitmqServer, running_rabbitmq


@dataclass(frozen=True)
class Show:
    """A world in the evening, and a company around it with nothing running yet."""

    world: WorldClient
    company: Company
    broker: Broker
    rabbitmq: RabbitmqServer
    vhost: str
    pids: Mapping[str, int]  # of what stands around the company, by its name

    def is_listened_to(self, queue: str) -> bool:
        """Whether a worker reads `queue`."""
        return queue in self.rabbitmq.ctl("list_consumers", "--vhost", self.vhost, "--silent", "queue_name").split()


class Stage:
    """One PostgreSQL and one RabbitMQ for all figures, private to this run."""

    def __init__(self, postgres: PostgresServer, rabbitmq: RabbitmqServer) -> None:
        self._postgres = postgres
        self._rabbitmq = rabbitmq

    @contextmanager
    def show(self) -> Iterator[Show]:
        """A new sandbox, a new migrated database and a new vhost; all gone afterwards, with every process."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
            sandbox = stack.enter_context(world_process())
            database = self._postgres.url_of(stack.enter_context(self._postgres.fresh_database()))
            vhost = stack.enter_context(self._rabbitmq.fresh_vhost())
            broker_url = self._rabbitmq.url_of(vhost)
            company = Company(folder, company_settings(sandbox.url, database, broker_url))
            stack.callback(_end_all, company)
            world = WorldClient(sandbox.url)
            stack.enter_context(world.session)
            at(world, EVENING)
            _succeed(company, "db", "migrate")
            broker = Broker(broker_url, vhost, self._rabbitmq)
            pids = {"sandbox": sandbox.pid, "PostgreSQL": self._postgres.pid, "RabbitMQ": self._rabbitmq.pid}
            yield Show(world, company, broker, self._rabbitmq, vhost, pids)


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Boot the two servers; they are gone afterwards."""
    say("booting PostgreSQL and RabbitMQ")
    with running_postgres() as postgres, running_rabbitmq() as rabbitmq:
        yield Stage(postgres, rabbitmq)


def _succeed(company: Company, *arguments: str) -> None:
    ran = company.ask(*arguments)
    if ran.code:
        raise RuntimeError(f"qonto-xero {' '.join(arguments)} ended with {ran.code}: {ran.err or ran.out}")


def _end_all(company: Company) -> None:
    for process in company.processes:
        process.end(signal.SIGKILL)
