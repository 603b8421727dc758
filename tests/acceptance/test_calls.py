"""What an organisation's night costs in calls, counted in the sandbox's own log."""

from __future__ import annotations

from collections import Counter
from datetime import time

import pytest

from tests.acceptance.world import Office, read_log, spends

pytestmark = pytest.mark.acceptance

LATE = time(22, 45)  # so near to the night that the access token lives through both


def nights() -> list[object]:
    """Every size with every number of accounts on SQLite, and two of them on PostgreSQL."""
    also_postgresql = {(51, 3), (500, 8)}
    return [
        pytest.param(database, new, accounts, id=f"{database}-{new}-{accounts}", marks=marks)
        for new in (0, 1, 50, 51, 500)
        for accounts in (1, 3, 8)
        for database, marks in (("sqlite", []), ("postgresql", [pytest.mark.integration]))
        if database == "sqlite" or (new, accounts) in also_postgresql
    ]


@pytest.mark.parametrize(("database_url", "new", "accounts"), nights(), indirect=["database_url"])
def test_a_night_costs_one_read_of_xero_a_write_for_each_fifty_and_a_list_for_each_hundred(
    office: Office, new: int, accounts: int
) -> None:
    office.world.move_to(office.world.next(LATE))
    company = office.connected(accounts=[{"name": f"Account {number}"} for number in range(accounts)])
    office.sync_now(company)
    company.moves(*(spends(100 + n, account_id=company.account_ids[n % accounts]) for n in range(new)))
    asked = office.world.last_request()

    office.night()

    in_each = Counter(n % accounts for n in range(new))
    pages = sum(max(1, -(-(in_each[number] - 1) // 99)) for number in range(accounts))
    assert (
        Counter(f"{r.method} {r.path}" for r in read_log(office.world, asked))
        == Counter(
            {
                "GET /api.xro/2.0/Accounts": 1,
                "PUT /api.xro/2.0/BankTransactions": -(-new // 50),
                "GET /v2/bank_accounts": 1,
                "GET /v2/transactions": pages,
            }
        )
        + Counter()
    )
    assert company.states() == Counter({"posted": new}) + Counter()


def test_a_token_that_has_expired_costs_one_call_more(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()

    office.run_until_quiet()

    assert [r.path for r in read_log(office.world, asked) if r.service == "identity"] == ["/connect/token"]
    assert len(read_log(office.world, asked)) == 5
