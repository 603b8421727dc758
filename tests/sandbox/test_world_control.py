"""The control API itself: clock, log, settings, clear refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.world_client import Party, WorldClient, spend


def test_the_clock_moves_stops_and_runs(world: WorldClient) -> None:
    assert world.control("POST", "/clock", {"now": "2027-01-01T00:00:00Z", "advance_seconds": 1.5}) == {
        "now": "2027-01-01T00:00:01.500Z",
        "frozen": True,
    }
    assert world.control("GET", "/clock")["now"] == "2027-01-01T00:00:01.500Z"
    running = world.control("POST", "/clock", {"frozen": False})
    assert running["frozen"] is False
    assert running["now"].startswith("2027-01-01T00:00:0")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/clock", {"later": 1}, 400),
        ("POST", "/clock", {"now": "soon"}, 400),
        ("POST", "/settings", {"nonsense": 1}, 400),
        ("POST", "/settings", {"minute_limit": "many"}, 400),
        ("POST", "/organisations", {}, 400),
        ("POST", "/organisations", {"name": "A", "xero": {"period_lock_date": "soon"}}, 400),
        ("POST", "/faults", {"action": "explode"}, 400),
        ("POST", "/faults", {"action": "drop", "match": {"path": "("}}, 400),
        ("GET", "/faults/99", None, 404),
        ("GET", "/qonto/nobody/ledger", None, 404),
        ("GET", "/xero/nobody/ledger", None, 404),
        ("GET", "/requests?after=x", None, 400),
        ("GET", "/requests?path=(", None, 400),
        ("GET", "/nothing", None, 404),
        ("DELETE", "/clock", None, 404),
    ],
)
def test_a_wrong_control_request_is_told_why(
    world: WorldClient, method: str, path: str, body: Any, status: int
) -> None:
    answer = world.call(method, f"/control{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/xero/{tenant}/bank-transactions/x/delete",
        "/xero/{tenant}/accounts/x/archive",
        "/xero/{tenant}/contacts/x/archive",
        "/qonto/{organisation}/transactions/x/settle",
        "/qonto/{organisation}/accounts/x/close",
    ],
)
def test_an_unknown_part_of_a_known_whole_is_a_404(party: Party, path: str) -> None:
    address = path.format(tenant=party.tenant, organisation=party.id)
    assert party.world.call("POST", f"/control{address}").status_code == 404


def test_settings_change_together_or_not_at_all(world: WorldClient) -> None:
    before = world.control("GET", "/settings")
    world.call("POST", "/control/settings", json={"minute_limit": 1, "batch_order": "random"})
    assert world.control("GET", "/settings") == before


def test_the_log_tells_what_was_asked_and_answered_and_nothing_secret(party: Party, bank_account: str) -> None:
    party.world.control("DELETE", "/requests")
    fault = party.world.fault("drop", match={"service": "qonto"})
    party.xero("PUT", "BankTransactions?summarizeErrors=false", spend(bank_account), key="k1")
    with pytest.raises(OSError, match="aborted"):
        party.qonto("organization")
    write, read = party.world.requests_made()
    assert (write["service"], write["method"], write["path"]) == ("xero", "PUT", "/api.xro/2.0/BankTransactions")
    assert (write["query"], write["key"], write["status"], write["tenant"]) == (
        "summarizeErrors=false",
        "k1",
        200,
        party.tenant,
    )
    assert (write["concurrent"], len(write["body_sha256"]), write["body"]) == (1, 64, None)
    assert (read["status"], read["fault"]) == (0, fault)
    shown = party.world.call("GET", "/control/requests").text
    assert party.known["xero_tokens"]["access_token"] not in shown
    assert party.known["qonto_secret"] not in shown


def test_the_log_can_be_filtered_bounded_and_followed(party: Party, bank_account: str) -> None:
    world = party.world
    world.settings(log_limit=3, log_bodies=True)
    party.xero("PUT", "BankTransactions", spend(bank_account))
    party.qonto("organization")
    party.xero("GET", "Organisation")
    party.xero("GET", "Accounts")
    assert [entry["path"] for entry in world.requests_made("service=xero&method=GET&path=accounts$")] == [
        "/api.xro/2.0/Accounts"
    ]
    log = world.control("GET", "/requests")
    assert len(log["requests"]) == 3
    assert log["dropped"] == 2
    assert world.requests_made(f"after={log['last_id'] - 1}") == log["requests"][-1:]
    assert [entry["id"] for entry in world.requests_made("limit=1")] == [log["requests"][0]["id"]]


def test_bodies_are_kept_only_when_asked(party: Party) -> None:
    party.world.settings(log_bodies=True)
    party.xero("PUT", "Currencies", {"Code": "USD"})
    assert party.world.requests_made("method=PUT")[0]["body"] == '{"Code": "USD"}'


def test_tenants_and_organisations_are_listed_with_their_bonds(world: WorldClient) -> None:
    first = world.organisation(xero={"tenant_name": "Books", "currencies": ["USD"]})
    second = world.organisation(name="Second", xero={"tenant_id": first.tenant})
    world.organisation(xero=None)
    tenants = world.control("GET", "/tenants")["tenants"]
    assert [(tenant["tenant_name"], tenant["organisation_ids"]) for tenant in tenants] == [
        ("Books", [first.id, second.id])
    ]
    bonds = [one["tenant_id"] for one in world.control("GET", "/organisations")["organisations"]]
    assert bonds == [first.tenant, first.tenant, None]


def test_an_unconnected_organisation_has_no_tokens_until_someone_consents(world: WorldClient) -> None:
    party = world.organisation(xero={"connected": False})
    assert (party.known["xero_tokens"], party.known["xero_connection_id"]) == (None, None)
    assert world.control("POST", f"/xero/{party.tenant}/authorize")["code"]


def test_currencies_can_be_dropped_but_not_the_base(party: Party) -> None:
    path = f"/xero/{party.tenant}/currencies"
    assert party.world.control("POST", path, {"add": ["USD", "GBP"]})["currencies"] == ["EUR", "USD", "GBP"]
    assert party.world.control("POST", path, {"remove": ["USD"]})["currencies"] == ["EUR", "GBP"]
    assert party.world.call("POST", f"/control{path}", json={"remove": ["EUR"]}).status_code == 400
