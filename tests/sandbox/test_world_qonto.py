"""Qonto's lists, its errors, and what happens to its rows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.world_client import Party, WorldClient


@pytest.fixture
def paid(party: Party) -> dict[str, str]:
    """Ids by note: three completed rows settled an hour apart, one pending, one declined."""
    rows: list[dict[str, Any]] = [
        {"amount_cents": 100 + hour, "note": f"h{hour}", "settled_at": f"2026-11-20T0{hour}:00:00Z"}
        | {"updated_at": f"2026-11-20T0{hour}:30:00Z", "side": "credit" if hour == 3 else "debit"}
        for hour in (1, 2, 3)
    ]
    rows += [
        {"amount_cents": 5, "status": "pending", "note": "pending", "operation_type": "card"},
        {"amount_cents": 6, "status": "declined", "note": "declined", "operation_type": "card"},
    ]
    ids = [row["id"] for row in party.pay(*rows)]
    return dict(zip(("h1", "h2", "h3", "pending", "declined"), ids, strict=True))


def test_only_completed_rows_come_unasked_newest_settled_first(party: Party, paid: dict[str, str]) -> None:
    assert party.listed() == [paid["h3"], paid["h2"], paid["h1"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status[]": ["pending", "declined"]}, ["declined", "pending"]),
        ({"sort_by": "updated_at:asc"}, ["h1", "h2", "h3"]),
        ({"sort_by": "updated_at:asc", "updated_at_from": "2026-11-20T02:30:00Z"}, ["h2", "h3"]),
        ({"sort_by": "settled_at:asc", "settled_at_to": "2026-11-20T02:00:00.000Z"}, ["h1", "h2"]),
        ({"emitted_at_from": "2026-11-20T02:00:00+00:00", "sort_by": "emitted_at:asc"}, ["h2", "h3"]),
        ({"created_at_from": "2026-11-20T12:00:01Z"}, []),
        ({"side": "credit"}, ["h3"]),
        ({"operation_type[]": ["transfer"], "settled_at_from": "2026-11-20T02:30:00Z"}, ["h3"]),
        ({"operation_type[]": ["card"]}, []),
        ({"with_attachments": "true"}, []),
        ({"per_page": 2, "page": 2}, ["h1"]),
        ({"per_page": 2, "current_page": 2, "sort_by": "updated_at:asc"}, ["h3"]),
    ],
)
def test_every_filter_filters(party: Party, paid: dict[str, str], query: dict[str, Any], expected: list[str]) -> None:
    assert party.listed(**query) == [paid[note] for note in expected]


def test_from_bounds_can_be_made_exclusive(party: Party, paid: dict[str, str]) -> None:
    party.world.settings(updated_at_from="exclusive")
    assert party.listed(updated_at_from="2026-11-20T02:30:00Z") == [paid["h3"]]


def test_only_the_first_status_may_count(party: Party, paid: dict[str, str]) -> None:
    party.world.settings(qonto_one_status=True)
    assert party.listed(**{"status[]": ["pending", "completed"]}) == [paid["pending"]]


def test_meta_says_where_a_page_stands(party: Party, paid: dict[str, str]) -> None:
    assert len(paid) == 5
    meta = party.qonto("transactions", bank_account_id=party.account_id, per_page=2, page=1).json()["meta"]
    assert meta == {
        "current_page": 1,
        "next_page": 2,
        "prev_page": None,
        "total_pages": 2,
        "total_count": 3,
        "per_page": 2,
    }


def test_an_edited_row_jumps_to_the_end_and_shifts_the_pages(party: Party, paid: dict[str, str]) -> None:
    first = party.listed(sort_by="updated_at:asc", per_page=1, page=1)
    party.world.control("POST", f"/qonto/{party.id}/transactions/{paid['h1']}", {"note": "edited"})
    second = party.listed(sort_by="updated_at:asc", per_page=1, page=2)
    assert (first, second) == ([paid["h1"]], [paid["h3"]])
    assert party.listed(sort_by="updated_at:asc", per_page=1, page=3) == [paid["h1"]]
    assert party.qonto(f"transactions/{paid['h1']}").json()["transaction"]["note"] == "edited"


def test_a_pending_row_settles_later_at_another_amount_and_moves_the_balance(
    party: Party, paid: dict[str, str]
) -> None:
    before = party.qonto(f"bank_accounts/{party.account_id}").json()["bank_account"]
    assert before["balance_cents"] - before["authorized_balance_cents"] == 5
    party.world.control("POST", f"/qonto/{party.id}/transactions/{paid['pending']}/settle", {"amount_cents": 7})
    row = party.qonto(f"transactions/{paid['pending']}").json()["transaction"]
    after = party.qonto(f"bank_accounts/{party.account_id}").json()["bank_account"]
    assert (row["status"], row["amount_cents"], row["settled_at"]) == ("completed", 7, "2026-11-20T12:00:00.000Z")
    assert row["settled_balance_cents"] == after["balance_cents"] == before["balance_cents"] - 7
    assert party.listed()[0] == paid["pending"]


def test_a_pending_row_can_be_declined_and_then_not_settled(party: Party, paid: dict[str, str]) -> None:
    path = f"/control/qonto/{party.id}/transactions/{paid['pending']}"
    assert party.world.call("POST", f"{path}/decline").json()["status"] == "declined"
    assert party.world.call("POST", f"{path}/settle").status_code == 400


def test_money_is_written_with_two_decimals_and_as_cents(party: Party) -> None:
    party.pay({"amount_cents": 4730, "local_amount_cents": 5000, "local_currency": "USD", "operation_type": "card"})
    text = party.qonto("transactions", bank_account_id=party.account_id).text
    assert '"amount":47.30,"amount_cents":4730,"currency":"EUR","local_amount":50.00' in text
    assert '"settled_balance":-47.30,"settled_balance_cents":-4730' in text


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("transactions", {}, 400),
        ("transactions", {"bank_account_id": "nobody"}, 404),
        ("transactions", {"iban": "XX00"}, 404),
        ("transactions", {"iban": "FR-ok", "sort_by": "amount:asc"}, 400),
        ("transactions", {"iban": "FR-ok", "page": "0"}, 400),
        ("transactions", {"iban": "FR-ok", "colour": "red"}, 400),
        ("transactions", {"iban": "FR-ok", "status[]": "new"}, 400),
        ("transactions", {"iban": "FR-ok", "updated_at_from": "yesterday"}, 400),
        ("transactions/nobody", {}, 404),
        ("bank_accounts/nobody", {}, 404),
        ("nothing", {}, 404),
    ],
)
def test_a_wrong_read_is_refused_with_errors(world: WorldClient, path: str, query: dict[str, str], status: int) -> None:
    party = world.organisation(accounts=[{"iban": "FR-ok"}])
    answer = party.qonto(path, **query)
    assert answer.status_code == status
    assert answer.json()["errors"]


def test_access_is_by_key_or_by_token_and_not_without(party: Party) -> None:
    bearer = f"Bearer {party.known['qonto_tokens']['access_token']}"
    for authorization, status in ((bearer, 200), ("farolillo:wrong", 401), ("", 401), ("Bearer x", 401)):
        headers = {"Authorization": authorization}
        assert party.world.call("GET", "/qonto/v2/organization", headers=headers).status_code == status
    party.world.advance(3600)
    assert party.world.call("GET", "/qonto/v2/organization", headers={"Authorization": bearer}).status_code == 401


def test_one_organisation_never_sees_anothers_rows(world: WorldClient) -> None:
    mine, other = world.organisation(), world.organisation()
    row = other.pay({"amount_cents": 1})[0]["id"]
    assert mine.qonto(f"transactions/{row}").status_code == 404
    assert mine.qonto("transactions", bank_account_id=other.account_id).status_code == 404


def test_the_organisation_hides_external_accounts_unless_asked(world: WorldClient) -> None:
    party = world.organisation(accounts=[{"name": "Main"}, {"name": "Elsewhere", "is_external": True}])
    for query, expected in (({}, ["Main"]), ({"include_external_accounts": "true"}, ["Main", "Elsewhere"])):
        accounts = party.qonto("organization", **query).json()["organization"]["bank_accounts"]
        assert [account["name"] for account in accounts] == expected


def test_accounts_open_close_and_change_their_name(party: Party) -> None:
    control = f"/qonto/{party.id}/accounts"
    made = party.world.control("POST", control, {"name": "Taxes", "balance_cents": 5})
    party.world.advance(1)
    party.world.control("POST", f"{control}/{made['id']}/rename", {"name": "VAT"})
    party.world.control("POST", f"{control}/{made['id']}/close")
    accounts = party.qonto("bank_accounts").json()["bank_accounts"]
    assert [(one["name"], one["status"], one["main"]) for one in accounts] == [
        ("Main", "active", True),
        ("VAT", "closed", False),
    ]
    assert accounts[1]["updated_at"] == "2026-11-20T12:00:01.000Z"
    assert party.qonto("bank_accounts", per_page=1, page=2).json()["bank_accounts"] == accounts[1:]


def test_a_lagging_list_hides_young_rows_but_single_reads_do_not(party: Party) -> None:
    party.world.settings(qonto_list_lag=10)
    row = party.pay({"amount_cents": 1})[0]["id"]
    assert party.listed() == []
    assert party.qonto(f"transactions/{row}").status_code == 200
    party.world.advance(10)
    assert party.listed() == [row]


def test_the_rate_limit_per_address_can_be_switched_on(party: Party) -> None:
    party.world.settings(qonto_rate_limits=True)
    statuses = {party.qonto("bank_accounts").status_code for _ in range(1001)}
    assert statuses == {200, 429}
