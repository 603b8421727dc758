"""The servers as pytest fixtures. A plugin module: list it in the top conftest's `pytest_plugins`.

Servers start on first use and live for the session. A test that needs one to be dead uses `server.outage()`,
which leaves it running for the next test.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.servers.chromium import running_chromium
from tests.servers.postgres import PostgresServer, running_postgres
from tests.servers.rabbitmq import RabbitmqServer, running_rabbitmq


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitmqServer]:
    """The session's RabbitMQ."""
    with running_rabbitmq() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The session's PostgreSQL."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def rabbitmq_vhost(rabbitmq_server: RabbitmqServer) -> Iterator[str]:
    """The name of this test's own vhost."""
    with rabbitmq_server.fresh_vhost() as vhost:
        yield vhost


@pytest.fixture
def rabbitmq_url(rabbitmq_server: RabbitmqServer, rabbitmq_vhost: str) -> str:
    """The address of this test's own vhost."""
    return rabbitmq_server.url_of(rabbitmq_vhost)


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The database that `postgres_url` copies. Override it to give every test a migrated database at once."""
    return "template1"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The address of this test's own database."""
    with postgres_server.fresh_database(template=postgres_template) as database:
        yield postgres_server.url_of(database)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The session's browser."""
    with running_chromium() as browser:
        yield browser
