"""A real PostgreSQL for tests, with the levers that faults need."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from tests.servers.containers import engine_answers
from tests.servers.postgres_nodes import ContainerPostgres, PostgresNode, PrivatePostgres, url_of


class PostgresServer:
    """One PostgreSQL that tests may stop, kill and start again; its disk outlives all of that."""

    def __init__(self, node: PostgresNode) -> None:
        self._node = node

    @property
    def url(self) -> str:
        """The address of the maintenance database; the same after every restart."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The address of `database`."""
        return url_of(self._node, database)

    @property
    def pid(self) -> int:
        """The postmaster, whose children serve the connections."""
        return self._node.pid

    def start(self) -> None:
        """Start and return when it answers queries (about 2 s the first time)."""
        self._node.start()

    def stop(self) -> None:
        """Shut down in order; open connections are cut."""
        self._node.stop()

    def kill(self) -> None:
        """End the postmaster with kill -9, as a power cut would."""
        self._node.kill()

    def restart(self) -> None:
        """Shut down in order and start again."""
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
        """End it and remove everything it wrote."""
        self._node.close()

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Copy `template`, to which nobody may be connected, as database `name` and return its address."""
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop database `name` if it is there, cutting whoever is still connected."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    @contextmanager
    def fresh_database(self, *, template: str = "template1") -> Iterator[str]:
        """The name of a new copy of `template`, dropped afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        self.create_database(name, template=template)
        try:
            yield name
        finally:
            self.drop_database(name)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that is up, and gone without trace afterwards."""
    server = PostgresServer(ContainerPostgres() if engine_answers() else PrivatePostgres())
    try:
        server.start()
        yield server
    finally:
        server.close()
