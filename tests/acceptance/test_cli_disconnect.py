"""`connections disconnect`: asked for by name, for a reason, and only if one is sure."""

from __future__ import annotations

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import Company, payments
from tests.acceptance.test_cli_mistakes import USAGE, misused, told
from tests.sandbox.world_client import Party, WorldClient

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

AUDIT = "SELECT who, reason FROM audit_entry WHERE action = 'connection.disconnect'"
SECRETS = "SELECT secret || access_token FROM credential WHERE secret || access_token <> ''"


@pytest.fixture
def party(town: WorldClient, small_company: Company) -> Party:
    """A connected organisation with payments that have not been sent."""
    party = town.organisation()
    party.pay(*payments(3))
    assert small_company.connect(party).code == 0
    return party


def test_it_ends_the_connection_and_says_when(small_company: Company, party: Party) -> None:
    slug = party.known["slug"]

    ran = small_company.ask(
        "connections", "disconnect", slug, "--yes", "--reason", "they left", "--who", "ada", "--json"
    )

    assert (ran.code, ran.err) == (0, "")
    (ended,) = ran.json
    assert (ended["organisation"], ended["state"], ended["note"]) == (slug, "disconnected", "")
    assert ended["ended_at"]
    assert small_company.query_file(AUDIT) == [("ada", "they left")]
    assert small_company.query_file(SECRETS) == []
    (shown,) = small_company.ask("connections", "list", "--json").json
    assert (shown["state"], shown["reason"]) == ("disconnected", "they left")
    told(small_company.ask("sync", slug), USAGE, repr(slug), "qonto-xero connections list")


def test_without_a_terminal_it_wants_to_hear_yes(small_company: Company, party: Party) -> None:
    before = small_company.dump()
    ran = small_company.ask("connections", "disconnect", party.known["slug"], "--reason", "they left")
    told(ran, USAGE, "--yes")
    assert small_company.dump() == before


@pytest.mark.parametrize("options", [[], ["--reason", " "]], ids=["none", "blank"])
def test_it_wants_to_know_why(small_company: Company, party: Party, options: list[str]) -> None:
    before = small_company.dump()
    misused(small_company.ask("connections", "disconnect", party.known["slug"], "--yes", *options), "--reason")
    assert small_company.dump() == before


def test_while_xero_is_away_it_says_what_is_left_there(small_company: Company, town: WorldClient, party: Party) -> None:
    town.fault("status", status=503, match={"service": "xero", "path": "/connections"}, times=None)
    asking = small_company.start("connections", "disconnect", party.known["slug"], "--yes", "--reason", "they left")
    town.wait_until(lambda: len(town.requests_made("service=xero&path=/connections")) > 1)
    town.advance(30)

    town.wait_until(lambda: asking.exit_code is not None)
    assert asking.exit_code == 0
    ((note,),) = small_company.query_file("SELECT reason FROM sync_run WHERE kind = 'disconnection'")
    assert note.startswith("Xero may still show us as connected: Xero ")
    assert small_company.query_file(SECRETS) == []
