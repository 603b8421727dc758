"""The checker of requests can fail, and says why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.sdk_description import violations

pytestmark = pytest.mark.contract

GUID = "297c2dc5-cc47-4afd-8ec8-74990b8761e9"
BASE = "https://api.xero.com/api.xro/2.0"
HEADERS = {
    "Authorization": "Bearer token",
    "xero-tenant-id": GUID,
    "Accept": "application/json",
    "Content-Type": "application/json",
}
LINE = {"Description": "Servers", "Quantity": 1, "UnitAmount": 12.5, "AccountCode": "429", "TaxType": "NONE"}
ROW = {
    "Type": "SPEND",
    "Contact": {"Name": "Nube Hosting"},
    "LineItems": [LINE],
    "BankAccount": {"AccountID": GUID},
    "Date": "2026-11-19",
    "LineAmountTypes": "NoTax",
    "Url": "https://app.qonto.com/1",
}
ACCOUNT = {"Name": "Qonto", "Code": "Q1", "Type": "BANK", "BankAccountNumber": "FR76", "CurrencyCode": "EUR"}


def put_rows(*rows: dict[str, Any], query: str = "", **headers: str) -> list[str]:
    body = json.dumps({"BankTransactions": rows})
    return violations("PUT", f"{BASE}/BankTransactions{query}", HEADERS | headers, body)


def test_a_right_request_has_no_violations() -> None:
    assert put_rows(ROW, query="?summarizeErrors=false&unitdp=4", **{"Idempotency-Key": "k"}) == []
    assert violations("PUT", f"{BASE}/Accounts", HEADERS, json.dumps(ACCOUNT)) == []
    where = "?where=Status%3D%3D%22ACTIVE%22&page=1&pageSize=100&References=a,b"
    modified = HEADERS | {"If-Modified-Since": "2026-11-19T12:00:00"}
    assert violations("GET", f"{BASE}/BankTransactions{where}", modified) == []


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        ({"Colour": "red"}, "body.BankTransactions[0].Colour: is unknown in BankTransaction"),
        ({"Type": "GIVE"}, "body.BankTransactions[0].Type: Invalid value for `type` (GIVE)"),
        ({"Type": 5}, "body.BankTransactions[0].Type: must be str, not 5"),
        ({"LineAmountTypes": "Gross"}, "body.BankTransactions[0].LineAmountTypes: 'Gross' is not in LineAmountTypes"),
        ({"CurrencyCode": "EURO"}, "body.BankTransactions[0].CurrencyCode: 'EURO' is not in CurrencyCode"),
        ({"Date": "19/11/2026"}, "body.BankTransactions[0].Date: must be a date[ms-format], not '19/11/2026'"),
        ({"Date": "2026-13-01"}, "body.BankTransactions[0].Date: must be a date[ms-format], not '2026-13-01'"),
        ({"IsReconciled": "no"}, "body.BankTransactions[0].IsReconciled: must be bool, not 'no'"),
        ({"LineItems": {}}, "body.BankTransactions[0].LineItems: must be a list, not {}"),
        ({"BankAccount": "Q1"}, "body.BankTransactions[0].BankAccount: must be an object, not 'Q1'"),
        (
            {"LineItems": [LINE | {"UnitAmount": "12.50"}]},
            "body.BankTransactions[0].LineItems[0].UnitAmount: must be float, not '12.50'",
        ),
        (
            {"LineItems": [LINE | {"Quantity": True}]},
            "body.BankTransactions[0].LineItems[0].Quantity: must be float, not True",
        ),
        ({"Contact": {"Nom": "x"}}, "body.BankTransactions[0].Contact.Nom: is unknown in Contact"),
        (
            {"Contact": {"Name": "n" * 256}},
            "body.BankTransactions[0].Contact.Name: Invalid value for `name`, length must be less than or equal to",
        ),
    ],
)
def test_a_field_that_is_not_allowed_is_found(change: dict[str, Any], violation: str) -> None:
    found = put_rows(ROW | change)
    assert len(found) == 1
    assert found[0].startswith(violation)


@pytest.mark.parametrize("name", ["Type", "LineItems", "BankAccount"])
def test_a_missing_required_field_is_found(name: str) -> None:
    row = {key: value for key, value in ROW.items() if key != name}
    assert put_rows(row) == [f"body.BankTransactions[0].{name}: is missing"]


@pytest.mark.parametrize(
    ("query", "violation"),
    [
        ("?summariseErrors=false", "query: summariseErrors is unknown"),
        ("?summarizeErrors=no", "query: summarizeErrors must be true or false, not no"),
        ("?unitdp=four", "query: unitdp must be a whole number, not four"),
        ("?unitdp=4&unitdp=2", "query: unitdp is given twice"),
    ],
)
def test_a_query_parameter_that_is_not_allowed_is_found(query: str, violation: str) -> None:
    assert put_rows(ROW, query=query) == [violation]


@pytest.mark.parametrize(
    ("headers", "violation"),
    [
        ({"X-Custom": "1"}, "header: x-custom is unknown"),
        ({"Idempotency-Key": "k" * 129}, "header: Idempotency-Key has more than 128 characters"),
        ({"Authorization": "Basic x"}, "header: Authorization must be a bearer token"),
        ({"Accept": "*/*"}, "header: Accept must be application/json"),
        ({"Content-Type": "text/xml"}, "header: Content-Type must be application/json"),
    ],
)
def test_a_header_that_is_not_allowed_is_found(headers: dict[str, str], violation: str) -> None:
    assert put_rows(ROW, **headers) == [violation]


def test_the_tenant_header_is_required() -> None:
    headers = {name: value for name, value in HEADERS.items() if name != "xero-tenant-id"}
    assert violations("GET", f"{BASE}/Organisation", headers) == ["header: xero-tenant-id is missing"]


@pytest.mark.parametrize(
    ("method", "path", "body", "violation"),
    [
        ("GET", "/Nothing", None, "GET /Nothing is no operation"),
        ("PATCH", "/Accounts", "{}", "PATCH /Accounts is no operation"),
        ("GET", "/Accounts/123", None, "path: AccountID is no UUID: 123"),
        ("GET", "/Accounts", "{}", "body: none is allowed"),
        ("PUT", "/Accounts", None, "body: missing"),
        ("PUT", "/Accounts", "{", "body: is no JSON"),
        ("PUT", "/BankTransactions", '{"BankTransactions": NaN}', "body: is no JSON: NaN is no JSON number"),
        ("PUT", "/Accounts", json.dumps(ACCOUNT | {"Code": "12345678901"}), "body.Code: is longer than 10 characters"),
        ("PUT", "/Accounts", json.dumps(ACCOUNT | {"Status": "OPEN"}), "body.Status: Invalid value for `status`"),
    ],
)
def test_an_operation_that_is_not_described_so_is_found(
    method: str, path: str, body: str | None, violation: str
) -> None:
    found = violations(method, BASE + path, HEADERS, body)
    assert len(found) == 1
    assert found[0].startswith(violation)


def test_another_api_is_not_judged() -> None:
    assert violations("GET", "https://api.xero.com/connections", HEADERS) == ["/connections is not below /api.xro/2.0"]


def test_a_time_that_is_none_is_found() -> None:
    found = violations("GET", f"{BASE}/Accounts", HEADERS | {"If-Modified-Since": "yesterday"})
    assert found == ["header: If-Modified-Since must be a time, not yesterday"]
