"""The official, unmodified xero-python SDK as a client: the sandbox understands it, and it understands the sandbox."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from xero_python.accounting import (
    Account,
    AccountingApi,
    AccountType,
    BankTransaction,
    BankTransactions,
    Contact,
    Currency,
    CurrencyCode,
    LineAmountTypes,
    LineItem,
)
from xero_python.exceptions import (
    AccountingBadRequestException,
    HTTPStatusException,
    NotFoundException,
    RateLimitException,
)
from xero_python.identity import IdentityApi

from tests.contract.sdk_client import SandboxToken
from tests.contract.sdk_description import violations
from tests.sandbox.world_client import Party

pytestmark = [
    pytest.mark.contract,
    # The SDK leaves the connection of an unread answer to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

JSON_BOTH_WAYS = {"Accept": "application/json", "Content-Type": "application/json"}


def bank_account(name: str = "Qonto Main", code: str = "QMAIN", **changes: Any) -> Account:
    return Account(name=name, code=code, type=AccountType.BANK, bank_account_number="FR7612345", **changes)


@pytest.fixture
def account_id(accounting: AccountingApi, party: Party) -> str:
    return str(accounting.create_account(party.tenant, bank_account()).accounts[0].account_id)


def spend(account_id: str, number: int = 1, **changes: Any) -> BankTransaction:
    line = LineItem(description="Servers", quantity=1, unit_amount=Decimal("12.50"), account_code="429")
    told: dict[str, Any] = {
        "type": "SPEND",
        "contact": Contact(name="Nube Hosting"),
        "line_items": [line],
        "bank_account": Account(account_id=account_id),
        "date": dt.date(2026, 11, 19),
        "line_amount_types": LineAmountTypes.NOTAX,
        "reference": f"ref-{number}",
        "url": f"https://app.qonto.com/{number}",
    }
    return BankTransaction(**{**told, **changes})


def create(api: AccountingApi, party: Party, *rows: BankTransaction, **options: Any) -> list[BankTransaction]:
    sent = BankTransactions(bank_transactions=list(rows))
    return list(api.create_bank_transactions(party.tenant, sent, **options).bank_transactions)


def test_connections_are_read_and_deleted(identity: IdentityApi, party: Party) -> None:
    link = identity.get_connections()[0]
    assert (link.tenant_id, link.tenant_type, link.tenant_name) == (party.tenant, "ORGANISATION", "Books")
    assert link.created_date_utc.year == 2026
    assert [one.id for one in identity.get_connections(auth_event_id=link.auth_event_id)] == [link.id]
    identity.delete_connection(link.id)
    assert identity.get_connections() == []


def test_the_organisation_is_read(accounting: AccountingApi, party: Party) -> None:
    organisation = accounting.get_organisations(party.tenant).organisations[0]
    assert (organisation.organisation_id, organisation.name) == (party.tenant, "Books")
    assert organisation.base_currency == CurrencyCode.EUR
    assert organisation.created_date_utc.tzinfo is not None
    action = accounting.get_organisation_actions(party.tenant).actions[0]
    assert (action.name, action.status) == ("UseMulticurrency", "ALLOWED")


def test_currencies_are_read_and_added(accounting: AccountingApi, party: Party) -> None:
    accounting.create_currency(party.tenant, Currency(code=CurrencyCode.GBP))
    codes = [currency.code for currency in accounting.get_currencies(party.tenant).currencies]
    assert codes == [CurrencyCode.EUR, CurrencyCode.USD, CurrencyCode.GBP]


def test_a_bank_account_is_created_listed_archived_and_deleted(
    accounting: AccountingApi, party: Party, account_id: str
) -> None:
    where = 'Type=="BANK" AND Status=="ACTIVE"'
    listed = accounting.get_accounts(party.tenant, where=where, order="Name ASC").accounts
    assert [account.account_id for account in listed] == [account_id]
    assert listed[0].currency_code == CurrencyCode.EUR
    accounting.update_account(party.tenant, account_id, {"Accounts": [{"Status": "ARCHIVED"}]})
    assert accounting.get_account(party.tenant, account_id).accounts[0].status == "ARCHIVED"
    assert accounting.get_accounts(party.tenant, where=where).accounts == []
    assert accounting.delete_account(party.tenant, account_id).accounts[0].status == "DELETED"
    with pytest.raises(NotFoundException):
        accounting.get_account(party.tenant, account_id)


def test_an_account_that_is_no_bank_account_is_renamed(accounting: AccountingApi, party: Party) -> None:
    made = accounting.create_account(party.tenant, Account(name="To code", code="TC", type=AccountType.EXPENSE))
    account_id = made.accounts[0].account_id
    renamed = accounting.update_account(party.tenant, account_id, {"Accounts": [{"Name": "Waiting to be coded"}]})
    assert renamed.accounts[0].name == "Waiting to be coded"


def test_accounts_modified_since_are_listed(accounting: AccountingApi, party: Party, account_id: str) -> None:
    party.world.advance(60)
    other = accounting.create_account(party.tenant, bank_account("Qonto Taxes", "QTAX")).accounts[0]
    since = dt.datetime(2026, 11, 20, 12, 0, 30, tzinfo=dt.UTC)
    found = [account.account_id for account in accounting.get_accounts(party.tenant, if_modified_since=since).accounts]
    assert found == [other.account_id] != [account_id]


def test_a_refused_account_is_an_error_the_sdk_can_read(
    accounting: AccountingApi, party: Party, account_id: str
) -> None:
    assert account_id
    with pytest.raises(AccountingBadRequestException) as refused:
        accounting.create_account(party.tenant, bank_account())
    assert refused.value.reason == "Please enter a unique Name."
    assert (refused.value.error_data["ErrorNumber"], refused.value.error_data["Type"]) == (10, "ValidationException")


def test_rows_are_created_and_read_back(accounting: AccountingApi, party: Party, account_id: str) -> None:
    made = create(accounting, party, spend(account_id, 1), spend(account_id, 2, type="RECEIVE"))
    assert [row.status for row in made] == ["AUTHORISED", "AUTHORISED"]
    row = accounting.get_bank_transaction(party.tenant, made[0].bank_transaction_id).bank_transactions[0]
    assert (row.total, row.date, row.url) == (Decimal("12.50"), dt.date(2026, 11, 19), "https://app.qonto.com/1")
    assert row.line_amount_types == LineAmountTypes.NOTAX
    assert (row.contact.name, row.bank_account.code, row.currency_code) == ("Nube Hosting", "QMAIN", CurrencyCode.EUR)
    assert row.line_items[0].line_amount == Decimal("12.50")
    assert row.updated_date_utc == dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
    assert accounting.get_contacts(party.tenant).contacts[0].contact_id == row.contact.contact_id


def test_one_bad_row_refuses_a_summarised_batch(accounting: AccountingApi, party: Party, account_id: str) -> None:
    bad = spend(account_id, 2, url="https://go.xero.com/")
    with pytest.raises(AccountingBadRequestException) as refused:
        create(accounting, party, spend(account_id, 1), bad, summarize_errors=True)
    assert [element["Reference"] for element in refused.value.error_data["Elements"]] == ["ref-2"]
    assert accounting.get_bank_transactions(party.tenant).bank_transactions == []


def test_unsummarised_the_good_rows_stay(accounting: AccountingApi, party: Party, account_id: str) -> None:
    bad = spend(account_id, 2, url="https://go.xero.com/")
    rows = create(accounting, party, spend(account_id, 1), bad, summarize_errors=False, unitdp=4)
    assert [row.status_attribute_string for row in rows] == ["OK", "ERROR"]
    assert rows[1].validation_errors[0].message == "The Url field must not contain the word xero"
    assert len(accounting.get_bank_transactions(party.tenant).bank_transactions) == 1


def test_a_key_replays_and_refuses_another_request(accounting: AccountingApi, party: Party, account_id: str) -> None:
    first, again = (create(accounting, party, spend(account_id), idempotency_key="key")[0] for _ in range(2))
    assert first.bank_transaction_id == again.bank_transaction_id
    with pytest.raises(AccountingBadRequestException, match="used with a different request"):
        create(accounting, party, spend(account_id, 2), idempotency_key="key")


def test_rows_are_listed_with_every_filter_the_sdk_offers(
    accounting: AccountingApi, party: Party, account_id: str
) -> None:
    for number in range(1, 4):
        create(accounting, party, spend(account_id, number))
        party.world.advance(60)
    answer = accounting.get_bank_transactions(
        party.tenant,
        if_modified_since=dt.datetime(2026, 11, 20, 12, 0, 30, tzinfo=dt.UTC),
        where=f'BankAccount.AccountID==guid("{account_id}") AND Date>=DateTime(2026, 11, 1)',
        order="UpdatedDateUTC DESC",
        page=1,
        page_size=1,
        references=["ref-1", "ref-2", "ref-3"],
    )
    assert [row.reference for row in answer.bank_transactions] == ["ref-3"]
    assert (answer.pagination.page_count, answer.pagination.item_count) == (2, 2)


def test_a_row_is_deleted_by_its_status_and_stays_readable(
    accounting: AccountingApi, party: Party, account_id: str
) -> None:
    row_id = create(accounting, party, spend(account_id))[0].bank_transaction_id
    change = BankTransactions(bank_transactions=[spend(account_id, bank_transaction_id=row_id, status="DELETED")])
    accounting.update_bank_transaction(party.tenant, row_id, change)
    assert accounting.get_bank_transaction(party.tenant, row_id).bank_transactions[0].status == "DELETED"
    assert [row.status for row in accounting.get_bank_transactions(party.tenant).bank_transactions] == ["DELETED"]


def test_a_row_is_changed_by_update_or_create(accounting: AccountingApi, party: Party, account_id: str) -> None:
    row_id = create(accounting, party, spend(account_id))[0].bank_transaction_id
    sent = BankTransactions(bank_transactions=[spend(account_id, 9, bank_transaction_id=row_id), spend(account_id, 2)])
    rows = accounting.update_or_create_bank_transactions(party.tenant, sent).bank_transactions
    assert [row.reference for row in rows] == ["ref-9", "ref-2"]
    assert rows[0].bank_transaction_id == row_id


def test_the_sdk_refreshes_its_token_here(accounting: AccountingApi, party: Party, tokens: dict[str, Any]) -> None:
    before = dict(tokens)
    tokens["expires_at"] = 0
    assert accounting.get_organisations(party.tenant).organisations
    assert tokens["access_token"] != before["access_token"]
    assert tokens["refresh_token"] != before["refresh_token"]


def test_the_sdk_revokes_its_token_here(accounting: AccountingApi, party: Party, tokens: dict[str, Any]) -> None:
    token: SandboxToken = accounting.api_client.configuration.oauth2_token
    assert token.token_api(accounting.api_client).revoke_token(tokens["refresh_token"]) == 200
    with pytest.raises(HTTPStatusException) as refused:
        accounting.get_organisations(party.tenant)
    assert refused.value.status == 403


def test_a_refused_refresh_is_a_400_in_oauths_words(accounting: AccountingApi, tokens: dict[str, Any]) -> None:
    token: SandboxToken = accounting.api_client.configuration.oauth2_token
    with pytest.raises(HTTPStatusException) as refused:
        token.token_api(accounting.api_client).refresh_token("nonsense", tokens["scope"])
    assert (refused.value.status, refused.value.body) == (400, b'{"error":"invalid_grant"}')


def test_the_sdk_reads_why_it_is_limited(accounting: AccountingApi, party: Party) -> None:
    # Without Retry-After: the SDK's urllib3 would sleep for as long as it says.
    party.world.fault("status", match={"service": "xero"}, status=429, problem="concurrent")
    with pytest.raises(RateLimitException) as limited:
        accounting.get_organisations(party.tenant)
    assert limited.value.rate_limit == "concurrent"


def test_the_checker_finds_nothing_wrong_with_what_the_sdk_sends(
    accounting: AccountingApi, party: Party, account_id: str
) -> None:
    party.world.settings(log_bodies=True)
    rows = create(accounting, party, spend(account_id), spend(account_id, 2), summarize_errors=False, unitdp=4)
    accounting.get_bank_transactions(party.tenant, where='Type=="SPEND"', page=1, page_size=10, references=["ref-1"])
    accounting.get_bank_transaction(party.tenant, rows[0].bank_transaction_id)
    accounting.create_account(party.tenant, bank_account("Qonto Taxes", "QTAX", currency_code=CurrencyCode.EUR))
    sent = party.world.requests_made(f"service=xero&tenant={party.tenant}")[-4:]
    assert [call["method"] for call in sent] == ["PUT", "GET", "GET", "PUT"]
    for call in sent:
        url = f"{call['path']}?{call['query']}"
        headers = {"xero-tenant-id": party.tenant, "Authorization": "Bearer t", **JSON_BOTH_WAYS}
        assert violations(call["method"], url, headers, call["body"]) == []


def test_an_unknown_row_is_the_sdks_not_found(accounting: AccountingApi, party: Party) -> None:
    with pytest.raises(NotFoundException):
        accounting.get_bank_transaction(party.tenant, "00000000-0000-0000-0000-000000000000")
