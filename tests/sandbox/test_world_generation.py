"""Worlds from a seed."""

from __future__ import annotations

from typing import Any

from tests.sandbox.world_client import WorldClient

BODY = {"seed": 7, "organisations": 6, "min_transactions": 150, "max_transactions": 250, "settled_within_hours": 12}
NEW_EACH_TIME = ("qonto_tokens", "xero_tokens", "xero_connection_id")


def ledgers(world: WorldClient, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [world.control("GET", f"/qonto/{one['organisation_id']}/ledger") for one in made]


def make(world: WorldClient, **changes: Any) -> list[dict[str, Any]]:
    return list(world.control("POST", "/worlds", {**BODY, **changes})["organisations"])


def test_the_same_seed_makes_the_same_world_and_another_seed_another(world: WorldClient) -> None:
    worlds = []
    for seed in (7, 7, 8):
        world.control("POST", "/reset")
        made = make(world, seed=seed)
        told = [{key: value for key, value in one.items() if key not in NEW_EACH_TIME} for one in made]
        worlds.append((told, ledgers(world, made)))
    assert worlds[0] == worlds[1]
    assert worlds[0] != worlds[2]


def test_balances_chain_from_opening_to_the_accounts_balance(world: WorldClient) -> None:
    for ledger in ledgers(world, make(world)):
        for account in ledger["accounts"]:
            balance = account["opening_cents"]
            rows = [row for row in ledger["transactions"] if row["account_id"] == account["id"]]
            settled = [row for row in rows if row["status"] == "completed"]
            assert settled == sorted(settled, key=lambda row: row["settled_at"])
            for row in settled:
                balance += row["amount_cents"] if row["side"] == "credit" else -row["amount_cents"]
                assert row["settled_balance_cents"] == balance
            assert balance == account["balance_cents"]


def test_a_world_is_varied_and_hostile(world: WorldClient) -> None:
    rows = [row for ledger in ledgers(world, make(world)) for row in ledger["transactions"]]
    names = {row["clean_counterparty_name"] for row in rows}
    assert {row["status"] for row in rows} == {"completed", "pending", "declined"}
    assert {row["operation_type"] for row in rows} >= {"card", "income", "transfer", "direct_debit", "qonto_fee"}
    assert {None, "", '"||1==1||"', "Evil\r\nX-Injected: yes"} <= names
    assert any(name and len(name) > 300 for name in names)
    assert any(row["amount_cents"] == 0 for row in rows)
    assert any(row["settled_at"] and row["emitted_at"][:10] < row["settled_at"][:10] for row in rows)
    twins = [(row["account_id"], row["settled_at"], row["amount_cents"], row["label"]) for row in rows]
    assert len(set(twins)) < len(twins)


def test_rows_settle_within_the_time_span(world: WorldClient) -> None:
    made = make(world, settled_until="2026-11-20T10:00:00Z", hostile=False)
    times = [
        row["settled_at"]
        for ledger in ledgers(world, made)
        for row in ledger["transactions"]
        if row["settled_at"] and row["label"] != "Opening deposit"
    ]
    assert min(times) >= "2026-11-19T22:00:00.000Z"
    assert max(times) <= "2026-11-20T10:00:00.001Z"


def test_more_rows_can_be_generated_for_one_account(world: WorldClient) -> None:
    party = world.organisation(accounts=[{"name": "Main"}, {"name": "Other"}])
    account = party.known["accounts"][1]["id"]
    body = {"count": 30, "seed": 3, "account_id": account}
    rows = world.control("POST", f"/qonto/{party.id}/transactions", body)["transactions"]
    assert (len(rows), {row["account_id"] for row in rows}) == (30, {account})


def test_an_unconnected_world_has_no_connections(world: WorldClient) -> None:
    make(world, connected=False, organisations=2)
    assert [tenant["connected"] for tenant in world.control("GET", "/tenants")["tenants"]] == [False, False]
