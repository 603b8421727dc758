"""What docker-compose.yml describes, without containers: the same commands, users, roles and secrets, as processes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import requests

from tests.acceptance.processes import Company, Process
from tests.compose import COMPOSE, ROOT, SANDBOX, filled_in, grace, ours, read_compose, secrets_of
from tests.servers.postgres import PostgresServer
from tests.servers.processes import SLOWEST, free_ports, wait_until
from tests.servers.rabbitmq import RabbitmqServer

READY_SECONDS = 30
ROLES = ("migrate", "scheduler", "worker", "listener", "web", "operations", "operator")
USERS = ("scheduler", "worker", "listener", "core", "monitoring")
VHOSTS = ("qonto-xero", "qonto-events")
SANDBOX_HOST = "127.0.0.1:8900"  # in deploy/compose.sandbox.yml
LISTENS = {"web": 8080, "operations": 8090}  # by default, and published


@dataclass
class Deployment:
    """Every service of ours, with its own environment and secrets."""

    folder: Path
    database_url: str
    broker_url: str
    world_url: str
    services: dict[str, Any]
    companies: dict[str, Company] = field(default_factory=dict)
    started: dict[str, Process] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def secret(self, name: str) -> str:
        """What stands in a file that the script made."""
        return (self.folder / "secrets" / name).read_text()

    def company(self, name: str) -> Company:
        """A service's own view: its environment, and whatever of the containers' paths has another place here."""
        if name not in self.companies:
            service, folder = self.services[name], self.folder / name
            folder.mkdir()
            settings = {
                variable.removeprefix("QONTO_XERO_"): self._translated(text, service)
                for variable, text in service["environment"].items()
            }
            self.companies[name] = Company(folder, settings)
        return self.companies[name]

    def _translated(self, text: str, service: Mapping[str, Any]) -> str:
        found = secrets_of(service)
        if text in found:
            return str(self.folder / "secrets" / found[text])
        return filled_in(text, {}).replace(SANDBOX_HOST, urlsplit(self.world_url).netloc)

    def command(self, name: str) -> list[str]:
        """Exactly the service's own, but for ports and paths that are taken here."""
        command = [
            one.replace("/etc/qonto-xero", str(ROOT / "deploy/postgres")) for one in self.services[name]["command"]
        ]
        if name not in LISTENS:
            return command
        (self.ports[name],) = free_ports(1)
        return [*command, "--port", str(self.ports[name])]

    def start(self, name: str) -> None:
        """Start it, with a port of its own for its monitor."""
        company = self.company(name)
        host = company.settings["MONITOR"].partition(":")[0]
        company.settings["MONITOR"] = f"{host}:{free_ports(1)[0]}"
        self.started[name] = company.start(*self.command(name))

    def until_ready(self, name: str) -> None:
        """Ask as the container's health check does, until it says yes."""
        _, *check = self.services[name]["healthcheck"]["test"][1:]
        wait_until(
            lambda: not self.started[name].is_running() or self.company(name).run(*check).code == 0,
            seconds=READY_SECONDS,
            what=f"{name} to be ready",
        )
        assert self.started[name].is_running(), self.started[name].log()

    def look(self, name: str, **options: Any) -> requests.Response:
        """What a browser gets of it."""
        address = f"http://127.0.0.1:{self.ports[name]}/"
        return requests.get(address, headers={"Host": f"localhost:{LISTENS[name]}"}, timeout=300, **options)

    def stop(self, name: str) -> int | None:
        """Ask it to end, as a container is asked, and return its exit code; it is negative if it had to be killed."""
        process = self.started[name]
        process.end(signal.SIGTERM, seconds=SLOWEST * grace(self.services[name]))
        return process.exit_code

    def query(self, statement: str, role: str = "") -> list[tuple[Any, ...]]:
        """Ask the database, as one of our roles or as its superuser."""
        url = self.secret(f"database_url_{role}") if role else self.database_url
        with psycopg.connect(url) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Nothing of it goes on."""
        for company in self.companies.values():
            company.close()


@contextmanager
def deployed(folder: Path, postgres: PostgresServer, rabbitmq: RabbitmqServer, world_url: str) -> Iterator[Deployment]:
    """Servers prepared as in the containers: nothing of ours runs yet, and nothing is migrated."""
    with postgres.fresh_database() as database:
        database_url = postgres.url_of(database)
        services = ours(read_compose(COMPOSE, SANDBOX))
        made = Deployment(folder, database_url, rabbitmq.url, world_url, services)
        _make_secrets(made)
        for statements in (ROOT / "deploy/postgres/roles.sql", folder / "secrets/database_passwords.sql"):
            with psycopg.connect(database_url) as connection:
                connection.execute(statements.read_bytes())
        rabbitmq.import_definitions(made.secret("broker_definitions.json"))
        try:
            yield made
        finally:
            made.close()
            _forget(made, rabbitmq)
    for role in ROLES:
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(f"DROP ROLE {role}".encode())


def _make_secrets(made: Deployment) -> None:
    database, broker = urlsplit(made.database_url), urlsplit(made.broker_url)
    where = ["--database", f"{database.hostname}:{database.port}{database.path}"]
    where += ["--broker", f"amqp://{broker.hostname}:{broker.port}"]
    script = str(ROOT / "deploy/make_secrets.py")
    subprocess.run([sys.executable, script, str(made.folder / "secrets"), *where], check=True)


def _forget(made: Deployment, rabbitmq: RabbitmqServer) -> None:
    vhosts = [f'rabbit_vhost:delete(<<"{vhost}">>, <<"tests">>)' for vhost in VHOSTS]
    users = [f'rabbit_auth_backend_internal:delete_user(<<"{user}">>, <<"tests">>)' for user in USERS]
    rabbitmq.ctl("eval", f"{', '.join(vhosts + users)}.")
    with psycopg.connect(made.database_url) as connection:
        for role in ROLES:
            connection.execute(f"DROP OWNED BY {role} CASCADE".encode())
