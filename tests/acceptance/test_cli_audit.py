"""`audit`: who decided what, about which organisation, and why."""

from __future__ import annotations

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import Company
from tests.acceptance.test_cli_mistakes import USAGE, told
from tests.sandbox.world_client import WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company


def test_it_tells_the_newest_first_also_of_what_has_ended(small_company: Company, town: WorldClient) -> None:
    ada, bo = town.organisation(name="Ada"), town.organisation(name="Bo")
    for party in (ada, bo):
        assert small_company.connect(party, "--who", "grace").code == 0
    slug = ada.known["slug"]
    assert small_company.ask("sync", slug, "--who", "alan").code == 0
    ended = small_company.ask("connections", "disconnect", slug, "--yes", "--reason", "they left", "--who", "alan")
    assert ended.code == 0
    assert small_company.ask("keys", "rotate", "--reason", "every year").code == 0

    told_of_ada = small_company.ask("audit", slug, "--json").json
    told_of_all = small_company.ask("audit", "--json").json

    assert [(one["who"], one["action"], one["reason"]) for one in told_of_ada[:3]] == [
        ("system", "connection.secrets_erased", ""),
        ("alan", "connection.disconnect", "they left"),
        ("alan", "sync.request", ""),
    ]
    assert {one["organisation"] for one in told_of_ada} == {slug}
    assert [one["action"] for one in told_of_ada].count("connection.add") == 1
    assert (told_of_all[0]["action"], told_of_all[0]["organisation"]) == ("keys.rotate", "")
    assert len(told_of_all) == len(told_of_ada) + 2
    assert small_company.ask("audit", "--limit", "1", "--json").json == told_of_all[:1]


def test_it_knows_whom_it_knows(small_company: Company) -> None:
    told(small_company.ask("audit", "nobody"), USAGE, "'nobody'")
