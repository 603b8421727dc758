"""The fault matrix with real processes (`make prove`): each test names its row, and ends with the one checker."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import company_settings, telling
from tests.canaries import Canaries
from tests.checker import reader
from tests.faults.rig import Aftermath, Failpoints, FaultyCompany, proxied
from tests.faults.table import FaultTable
from tests.sandbox.world_client import WorldClient
from tests.servers.postgres import PostgresServer
from tests.servers.tcp_proxy import TcpProxy

pytest.register_assert_rewrite("tests.faults.night_watch")

MARK = "fault(row, injected, holds): the row of the fault matrix that a test is about, and the invariants that hold"
LOGGED_REQUESTS = 200_000  # more than any of these tests makes

town_url, plain_town = processes.town_url, processes.town
migrated, broker = processes.migrated, processes.broker


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-table", metavar="FILE", help="write the fault matrix's table as JSON")
    parser.addoption("--rows", default="", help="as 1-30: fail when one of these rows of the fault matrix has no test")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    config.pluginmanager.register(FaultTable(config), "fault-table")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """After each test's body, and as a part of it: faults off, run until quiet, check the whole world."""
    result = yield
    aftermath = pyfuncitem.funcargs.get("aftermath")
    if isinstance(aftermath, Aftermath):
        aftermath()
    return result


@pytest.fixture
def town(plain_town: WorldClient) -> WorldClient:
    """The world, empty, in the evening, remembering every request whole."""
    plain_town.settings(log_bodies=True, log_limit=LOGGED_REQUESTS)
    plain_town.control("DELETE", "/requests")
    return plain_town


@pytest.fixture
def failpoints(tmp_path: Path) -> Failpoints:
    """Named places in the product at which processes may be struck."""
    folder = tmp_path / "failpoints"
    folder.mkdir()
    return Failpoints(folder)


@pytest.fixture
def company(
    town: WorldClient,
    postgres_server: PostgresServer,
    migrated: str,
    rabbitmq_url: str,
    tmp_path: Path,
    failpoints: Failpoints,
) -> Iterator[FaultyCompany]:
    """A company with a migrated PostgreSQL and an empty RabbitMQ of its own, and nothing running yet."""
    with postgres_server.fresh_database(template=migrated) as database:
        settings = company_settings(town.url, postgres_server.url_of(database), rabbitmq_url)
        company = FaultyCompany(tmp_path, settings | {"FAILPOINTS": str(failpoints.folder)})
        company.canaries = Canaries(reader(town))
        try:
            with telling(town, rabbitmq_url):
                yield company
        finally:
            company.close()


@pytest.fixture
def aftermath(company: FaultyCompany, town: WorldClient, failpoints: Failpoints) -> Aftermath:
    """What comes after the test's body; whatever a test declares to the checker, it declares here."""
    return Aftermath(company, town, failpoints)


@pytest.fixture(autouse=True)
def _ends_with_the_checker(aftermath: Aftermath) -> None:
    """Every test of this folder has an aftermath, whether it asks for it or not."""


@pytest.fixture
def broker_proxy(company: FaultyCompany, aftermath: Aftermath) -> Iterator[TcpProxy]:
    """The company's processes reach RabbitMQ through it."""
    with proxied(company.settings["BROKER_URL"]) as (proxy, url):
        company.routes["BROKER_URL"] = url
        aftermath.proxies.append(proxy)
        yield proxy


@pytest.fixture
def database_proxy(company: FaultyCompany, aftermath: Aftermath) -> Iterator[TcpProxy]:
    """The company's processes reach PostgreSQL through it."""
    with proxied(company.settings["DATABASE_URL"]) as (proxy, url):
        company.routes["DATABASE_URL"] = url
        aftermath.proxies.append(proxy)
        yield proxy
