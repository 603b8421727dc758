"""What is counted of calls out and of pages: few values, none of which anybody outside can make up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY
from prometheus_client.samples import Sample

from clients.errors import Temporary
from clients.http import Http
from services.workbench import make_workbench
from settings import read_settings
from tests.acceptance.test_page_server import address, ask, database_url
from tests.acceptance.world import World
from tests.counted import counted

__all__ = ["address", "database_url"]

PREFIXES = {"https://api.example/": "api", "https://api.example/identity/": "identity"}


@pytest.mark.parametrize(
    ("url", "peer"),
    [
        ("https://api.xero.com/connections", "xero"),
        ("https://identity.xero.com/connect/token", "xero_identity"),
        ("https://thirdparty.qonto.com/v2/organization", "qonto"),
        ("https://oauth.qonto.com/oauth2/token", "qonto_oauth"),
        ("https://api.xero.com.example/connections", "other"),
    ],
)
def test_each_side_is_known_by_its_address(url: str, peer: str) -> None:
    workbench = make_workbench(read_settings({"QONTO_XERO_ENCRYPTION_KEYS": "k:" + "A" * 43 + "="}))

    assert workbench.http.peer_of(url) == peer
    assert workbench.xero_app.token_url.startswith("https://identity.xero.com/connect/")


def test_in_a_sandbox_the_longest_beginning_counts() -> None:
    assert Http(PREFIXES).peer_of("https://api.example/identity/token") == "identity"


def test_a_call_is_counted_by_what_it_was_answered(world: World) -> None:
    http = Http({f"{world.sandbox.url}/xero/": "xero"})
    refused = counted("qonto_xero_requests_total", peer="xero", code="401")
    silent = counted("qonto_xero_requests_total", peer="xero", code="none")
    timed = counted("qonto_xero_request_seconds_count", peer="xero")

    http.call("GET", f"{world.sandbox.url}/xero/api.xro/2.0/Accounts")
    world.fault("drop")
    with pytest.raises(Temporary):
        http.call("PUT", f"{world.sandbox.url}/xero/api.xro/2.0/BankTransactions", body=b"{}")

    assert (refused(), silent(), timed()) == (1, 1, 2)


def test_a_page_is_counted_under_its_route_whatever_was_asked_for(address: str) -> None:
    for method, path in (
        ("GET", "/connect?secret=hunter2"),
        ("GET", "/static/mark.svg"),
        ("GET", "/hunter2"),
        ("PROPFIND", "/connect"),
    ):
        ask(method, address + path)

    labels = {tuple(sorted(sample.labels.items())) for sample in page_requests()}
    assert {
        (("code", "401"), ("method", "GET"), ("route", "/connect")),
        (("code", "200"), ("method", "GET"), ("route", "/static/{name}")),
        (("code", "404"), ("method", "GET"), ("route", "none")),
        (("code", "405"), ("method", "other"), ("route", "none")),
    } <= labels
    assert "hunter2" not in str(labels).lower()


def page_requests() -> Iterator[Sample]:
    for metric in REGISTRY.collect():
        if metric.name == "qonto_xero_page_requests":
            yield from (sample for sample in metric.samples if sample.name.endswith("_total"))
