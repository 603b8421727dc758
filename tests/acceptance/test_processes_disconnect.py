"""A customer disconnects in the middle of a night, with the product as it really runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.acceptance import processes
from tests.acceptance.processes import NIGHT, Company, at, in_xero, payments, puts
from tests.sandbox.world_client import Party, WorldClient

pytestmark = [pytest.mark.acceptance, pytest.mark.integration]

town_url, town = processes.town_url, processes.town
migrated, company = processes.migrated, processes.company

TRANSACTIONS = 2_000
WRITE_SECONDS = 0.5
ENDED = "SELECT ended_at FROM connection WHERE state = 'disconnected'"
SECRETS = "SELECT count(*) FROM credential WHERE secret <> '' OR access_token <> ''"
ERASED = "SELECT at FROM audit_entry WHERE action = 'connection.secrets_erased'"
OPEN_RUNS = "SELECT count(*) FROM sync_run WHERE state IN ('due', 'running', 'waiting')"
UNDECIDED = "SELECT count(*) FROM posting WHERE state IN ('sending', 'uncertain')"


def asked_after(town: WorldClient, party: Party, moment: datetime) -> list[dict[str, Any]]:
    """What was asked for this organisation, of its Qonto or its Xero, from a moment on."""
    asked = [*town.requests_made(f"tenant={party.tenant}"), *town.requests_made(f"tenant={party.id}")]
    return [request for request in asked if datetime.fromisoformat(request["time"]) > moment]


def test_no_request_begins_once_it_is_disconnected_and_its_secrets_are_gone_within_a_minute(
    company: Company, town: WorldClient
) -> None:
    party = town.organisation()
    party.pay(*payments(TRANSACTIONS))
    assert company.connect(party).code == 0
    for command in ("scheduler", "worker"):
        company.start(command)
    town.settings(xero_write_latency=WRITE_SECONDS)
    at(town, NIGHT)
    company.until(lambda: len(puts(town)) >= 3, "the night to be under way")

    ran = company.run("connections", "disconnect", str(party.known["slug"]), "--yes", "--reason", "they left")
    assert ran.code == 0, ran.err
    sent = len(puts(town))
    company.until(lambda: company.query(ENDED) != [], "the connection to be ended")
    ((ended_at,),) = company.query(ENDED)
    town.control("POST", "/clock", {"frozen": True})  # nothing that is left may need a later moment
    company.until(lambda: company.query(ERASED) != [], "its secrets to be erased")
    company.until(lambda: company.query(OPEN_RUNS) == [(0,)], "every run to be over")
    town.control("POST", "/clock", {"frozen": False})

    assert asked_after(town, party, ended_at.astimezone(UTC)) == []
    assert company.query(SECRETS) == [(0,)]
    assert len(puts(town)) == sent < TRANSACTIONS / 50, "it was in the middle of the night"
    assert company.query(UNDECIDED) == [(0,)], "every answer that was under way has been heard"
    assert len(in_xero(party)) == 50 * sent
