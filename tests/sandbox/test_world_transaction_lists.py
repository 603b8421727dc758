"""Finding bank transactions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.world_client import Party, spend


@pytest.fixture
def rows(party: Party, bank_account: str) -> list[str]:
    """Three rows a second apart on consecutive days, the second one deleted last."""
    ids = []
    for number in (1, 2, 3):
        body = spend(bank_account, number, Date=f"2026-11-1{number}", Contact={"Name": f"Contact {number}"})
        ids.append(party.xero("PUT", "BankTransactions", body).json()["BankTransactions"][0]["BankTransactionID"])
        party.world.advance(1)
    party.world.control("POST", f"/xero/{party.tenant}/bank-transactions/{ids[1]}/delete")
    return ids


def references(party: Party, headers: dict[str, str] | None = None, **query: Any) -> list[str]:
    answer = party.xero("GET", "BankTransactions", params=query, headers=headers or {})
    assert answer.status_code == 200, answer.text
    return [row["Reference"] for row in answer.json()["BankTransactions"]]


@pytest.mark.usefixtures("rows")
def test_lists_come_by_update_and_include_deleted_rows(party: Party) -> None:
    assert references(party) == ["ref-1", "ref-3", "ref-2"]


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('Status!="DELETED"', ["ref-1", "ref-3"]),
        ('Url="https://app.qonto.com/transactions/2"', ["ref-2"]),
        ('Url=="https://app.qonto.com/transactions/2"&&Status!="DELETED"', []),
        ('Type=="SPEND" AND Date >= DateTime(2026, 11, 12) AND Date < DateTime(2026,11,13)', ["ref-2"]),
        ('Contact.Name=="Contact 3"', ["ref-3"]),
        ('BankAccount.Code=="QMAIN" && Reference.StartsWith("REF")', ["ref-1", "ref-3", "ref-2"]),
        ("IsReconciled==true", []),
        ("Url==null", []),
        ("Total==12.5 and Url != null", ["ref-1", "ref-3", "ref-2"]),
    ],
)
def test_where_conditions_must_all_hold(party: Party, where: str, expected: list[str]) -> None:
    assert references(party, where=where) == expected


@pytest.mark.usefixtures("rows")
def test_rows_of_one_account_are_found_by_its_id(party: Party, bank_account: str) -> None:
    other = party.bank_account("Other", "OTHER")
    for account, count in ((bank_account, 3), (other, 0)):
        where = f'BankAccount.AccountID==guid("{account.upper()}") AND Date > DateTime(2026,1,1)'
        assert len(references(party, where=where)) == count


def test_a_url_with_quotes_is_found_by_doubled_quotes(party: Party, bank_account: str) -> None:
    party.xero("PUT", "BankTransactions", spend(bank_account, Url='https://q/"||1==1||"'))
    assert references(party, where='Url=="https://q/""||1==1||"""') == ["ref-1"]


@pytest.mark.parametrize(
    "query",
    [
        {"where": 'Status!="DELETED'},
        {"where": 'Colour=="red"'},
        {"where": 'Type=="SPEND" Status=="X"'},
        {"where": 'Url==""||1==1||""'},
        {"where": "Date>DateTime(2026,13,40)"},
        {"order": "Colour DESC"},
        {"order": "Date SIDEWAYS"},
    ],
)
@pytest.mark.usefixtures("rows")
def test_a_query_that_cannot_be_read_is_refused_as_such(party: Party, query: dict[str, str]) -> None:
    answer = party.xero("GET", "BankTransactions", params=query)
    assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException")


@pytest.mark.usefixtures("rows")
def test_the_references_parameter_takes_several(party: Party) -> None:
    assert references(party, References="ref-2,ref-1,unknown") == ["ref-1", "ref-2"]


@pytest.mark.usefixtures("rows")
def test_rows_can_be_ordered(party: Party) -> None:
    assert references(party, order="Date DESC") == ["ref-3", "ref-2", "ref-1"]


@pytest.mark.usefixtures("rows")
def test_modified_since_counts_whole_seconds_and_sees_deletions(party: Party) -> None:
    assert references(party, {"If-Modified-Since": "2026-11-20T12:00:02.900"}) == ["ref-3", "ref-2"]
    assert references(party, {"If-Modified-Since": "2026-11-20T12:00:03"}) == ["ref-2"]


@pytest.mark.usefixtures("rows")
def test_pages_bring_line_items_and_pagination(party: Party) -> None:
    answer = party.xero("GET", "BankTransactions", params={"page": 2, "pageSize": 2}).json()
    assert answer["pagination"] == {"page": 2, "pageSize": 2, "pageCount": 2, "itemCount": 3}
    assert [len(row["LineItems"]) for row in answer["BankTransactions"]] == [1]
    summary = party.xero("GET", "BankTransactions").json()
    assert all(row["LineItems"] == [] for row in summary["BankTransactions"])
    assert "pagination" not in summary


def test_a_lagging_list_hides_young_rows_but_single_reads_do_not(party: Party, rows: list[str]) -> None:
    party.world.settings(xero_list_lag=2)
    assert references(party) == ["ref-1", "ref-2"]
    assert party.xero("GET", f"BankTransactions/{rows[2]}").status_code == 200
    party.world.advance(60)
    assert len(references(party)) == 3
