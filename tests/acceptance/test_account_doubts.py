"""One answer of Xero's never makes a second account: what a list lacks is asked for by its id, or waited for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.marks import account_mark, coding_mark
from models.bank_account import AccountLink
from models.states import LinkState
from tests.acceptance.world import Company, Office, Row, before, spends

pytestmark = pytest.mark.acceptance

BANK, CODING = '"Type":"BANK"', '"Type":"CURRENT"'
A_WHILE = timedelta(minutes=30)


def ours(company: Company) -> list[tuple[str, str]]:
    """Each account that we made in Xero and what became of it."""
    return [(a["type"], a["status"]) for a in company.ledger()["accounts"] if a["made_by"] == "api"]


def links(company: Company) -> list[tuple[int, str]]:
    found = AccountLink.select().where(AccountLink.tenant_id == company.tenant).order_by(AccountLink.generation)
    return [(link.generation, link.state) for link in found]


def asked_to_create(company: Company, after: int = 0) -> list[str]:
    """The bodies of our requests for accounts."""
    return [one.body for one in company.requests(after) if one.method == "PUT" and one.path.endswith("/Accounts")]


def nothing(_: list[Row]) -> list[Row]:
    return []


def none_of_ours(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not row.get("Code", "").startswith("Q")]


def no_bank_accounts(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["Type"] != "BANK"]


def all_archived(rows: list[Row]) -> list[Row]:
    return [row | {"Status": "ARCHIVED"} for row in rows]


@pytest.mark.parametrize("seconds", [5, 90])
def test_an_account_made_a_moment_ago_is_used_though_lists_do_not_show_it_yet(office: Office, seconds: int) -> None:
    office.world.settings(xero_list_lag=seconds)
    company = office.connect(office.company(), follow=True)
    office.turn()
    office.world.wait(seconds=1)
    company.moves(spends(100))

    office.sync_now(company)
    office.night()

    assert ours(company) == [("BANK", "ACTIVE"), ("CURRENT", "ACTIVE")]
    assert company.states() == {"posted": 1}


@pytest.mark.parametrize("listed", [nothing, none_of_ours, no_bank_accounts, all_archived])
def test_one_list_that_is_wrong_makes_no_account_and_declares_none_gone(
    office: Office, listed: Callable[[list[Row]], list[Row]]
) -> None:
    company = office.established()
    company.moves(spends(100))
    asked = office.world.last_request()
    office.xero_lists_accounts(listed)

    office.night()

    assert asked_to_create(company, asked) == []
    assert links(company) == [(1, LinkState.LIVE)]
    assert company.states() == {"posted": 1}


def test_a_first_list_without_any_account_is_asked_for_again(office: Office) -> None:
    company = office.connected()
    office.xero_lists_accounts(nothing)
    office.at_23()

    office.turn()

    assert asked_to_create(company) == []
    [run] = office.open_runs()
    assert "lists no account at all" in run.reason
    office.run_until_quiet()
    assert len(ours(company)) == 2


def test_when_all_that_we_made_was_deleted_it_is_made_again_but_not_by_the_first_answers(office: Office) -> None:
    company = office.established()
    for account in (*company.bank_accounts(), company.coding_account()):
        company.in_xero(f"accounts/{account['id']}/delete")
    company.moves(spends(100))
    asked = office.world.last_request()
    office.at_23()
    began_at = office.world.now

    office.run_until_quiet()

    created = [one.at for one in company.requests(asked) if one.method == "PUT" and one.path.endswith("/Accounts")]
    assert min(created) > began_at + A_WHILE
    assert company.states() == {"posted": 1}
    assert links(company) == [(1, LinkState.GONE), (2, LinkState.LIVE)]


def test_an_account_that_cannot_be_asked_for_waits_and_holds_no_other(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    taxes = company.account_ids[1]
    [in_xero] = company.bank_accounts(name="Taxes")
    company.in_xero(f"accounts/{in_xero['id']}/archive")
    [other] = company.moves(spends(100))
    office.at_23()
    office.world.fault("status", status=503, method="GET", path=f"/Accounts/{in_xero['id']}$")

    office.turn()

    assert company.state(other) == "posted"
    assert (1, LinkState.GONE) not in links(company)
    office.run_until_quiet()
    assert [a["status"] for a in company.bank_accounts() if a["name"].startswith("Taxes")] == ["ARCHIVED", "ACTIVE"]
    company.moves(spends(200, account_id=taxes))
    office.night()
    assert company.states() == {"posted": 2}


@pytest.mark.parametrize("body", [BANK, CODING], ids=["bank", "coding"])
def test_a_creation_whose_answer_was_lost_is_found_however_late_lists_show_it(office: Office, body: str) -> None:
    office.world.settings(xero_list_lag=900)
    company = office.connected()
    company.moves(spends(100))
    office.world.fault("drop", path="/Accounts$", when="after", body=body)
    office.at_23()
    office.turn()
    office.world.wait(minutes=7)  # Xero has forgotten the key and lists the account in another eight minutes

    office.run_until_quiet()

    assert ours(company) == [("BANK", "ACTIVE"), ("CURRENT", "ACTIVE")]
    assert company.states() == {"posted": 1}


@pytest.mark.parametrize("body", [BANK, CODING], ids=["bank", "coding"])
def test_turns_that_failed_for_another_cause_are_no_wait_for_a_list(office: Office, body: str) -> None:
    company = office.connected()
    company.moves(spends(100))
    office.world.fault("status", service="qonto", method="GET", path="/bank_accounts$", status=503, times=6)
    office.world.fault("drop", path="/Accounts$", when="after", body=body)
    hidden = iter(range(2))

    def shown(rows: list[Row]) -> list[Row]:
        lacks = none_of_ours(rows)
        return lacks if len(lacks) > 1 and len(lacks) < len(rows) and next(hidden, None) is not None else rows

    office.xero_lists_accounts(shown, times=99)
    office.at_23()

    office.run_until_quiet()

    assert next(hidden, None) is None
    assert ours(company) == [("BANK", "ACTIVE"), ("CURRENT", "ACTIVE")]
    assert company.states() == {"posted": 1}


def test_a_second_list_that_shows_less_than_the_first_makes_no_account(office: Office) -> None:
    office.world.settings(xero_list_lag=900)
    company = office.connected(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    office.world.fault("drop", path="/Accounts$", when="after", body=account_mark(company.account_id, 1))
    office.at_23()
    office.turn()
    office.world.wait(minutes=7)

    office.run_until_quiet()

    assert sorted(a["name"] for a in company.bank_accounts()) == ["Main", "Taxes"]


def test_a_code_that_no_list_ever_shows_is_given_up_for_the_next(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100))
    code = account_mark(company.account_id, 1)
    words = json.dumps({"Message": "Please enter a unique Code."})
    office.world.fault("status", path="/Accounts$", status=400, text=words, body=code, times=None)
    office.at_23()
    began_at = office.world.now

    office.run_until_quiet()

    assert [a["code"] for a in company.bank_accounts()] == [account_mark(company.account_id, 2)]
    assert company.states() == {"posted": 1}
    second = [one.at for one in company.requests() if account_mark(company.account_id, 2) in one.body]
    assert min(second) > began_at + A_WHILE


@pytest.mark.parametrize("kind", ["BANK", "CURRENT"])
def test_an_archived_account_that_has_the_code_already_is_not_posted_to(office: Office, kind: str) -> None:
    company = office.connected()
    company.moves(spends(100))
    code = account_mark(company.account_id, 1) if kind == "BANK" else coding_mark(company.id, 1)
    create = "create_account.create_bank_account" if kind == "BANK" else "coding_account.create_coding_account"

    def made_and_archived_meanwhile() -> None:
        account = company.in_xero("accounts", {"name": "Main, long ago", "code": code, "type": kind})
        company.in_xero(f"accounts/{account['id']}/archive")

    with before(f"services.{create}", made_and_archived_meanwhile):
        office.night()

    assert ours(company) == [("BANK", "ACTIVE"), ("CURRENT", "ACTIVE")]
    assert code not in {a["code"] for a in company.ledger()["accounts"] if a["made_by"] == "api"}
    assert company.states() == {"posted": 1}


@pytest.mark.parametrize("body", [BANK, CODING], ids=["bank", "coding"])
def test_an_answer_that_shows_another_account_than_the_one_asked_for_is_not_posted_to(
    office: Office, body: str
) -> None:
    company = office.connected()
    kind = "BANK" if body == BANK else "CURRENT"
    number = {"bank_account_number": "1234567", "currency": "EUR"} if body == BANK else {}
    theirs = company.in_xero("accounts", {"name": "Of the customer", "code": "091", "type": kind, **number})
    [payment] = company.moves(spends(100))
    other = {"AccountID": theirs["id"], "Code": "091", "Name": "Of the customer"}
    office.xero_lists_accounts(
        lambda rows: [row | other for row in rows] if len(rows) == 1 and rows[0]["Type"] == kind else rows, times=99
    )
    office.at_23()
    office.turn()
    office.restart()

    office.run_until_quiet()

    assert company.state(payment) == "posted"
    assert company.row(payment)["account_id"] != theirs["id"]
    assert company.row(payment)["line_account_code"] != "091"
    assert ours(company) == [("BANK", "ACTIVE"), ("CURRENT", "ACTIVE")]


# The account for lines to be coded.


def unreadable_coding_account(rows: list[Row]) -> list[Row]:
    return [row | ({"Status": 5} if row["Name"].startswith("Qonto: to be coded") else {}) for row in rows]


def test_a_coding_account_that_cannot_be_read_is_made_once_and_found_later(office: Office) -> None:
    company = office.connected()
    [payment] = company.moves(spends(100))
    office.xero_lists_accounts(unreadable_coding_account, times=999)

    office.night()
    office.night()

    assert ours(company) == [("BANK", "ACTIVE"), ("CURRENT", "ACTIVE")]
    assert company.state(payment) == "held: account_code"
    assert company.runs()[-1].state == "done"
    office.restart()
    office.night()
    assert company.state(payment) == "posted"


def test_a_known_coding_account_that_cannot_be_read_is_still_posted_to(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.xero_lists_accounts(unreadable_coding_account, times=999)
    by_id = f"/Accounts/{company.coding_account()['id']}$"
    office.world.fault("status", status=400, method="GET", path=by_id, times=None)

    office.night()

    assert company.state(payment) == "posted"
    assert ours(company) == [("BANK", "ACTIVE"), ("CURRENT", "ACTIVE")]
    last = company.runs()[-1]
    assert last.state == "done"
    assert "the account for lines to be coded" in last.reason


def test_a_renumbered_coding_account_is_known_by_its_id_and_used_under_its_new_code(office: Office) -> None:
    company = office.established()
    company.in_xero(f"accounts/{company.coding_account()['id']}/rename", {"code": "4711", "name": "Clearing"})
    [payment] = company.moves(spends(100))

    office.night()

    assert company.coding_account()["code"] == "4711"
    assert company.row(payment)["line_account_code"] == "4711"


def test_a_renumbered_coding_account_is_known_to_the_next_connection_too(office: Office) -> None:
    company = office.established()
    company.in_xero(f"accounts/{company.coding_account()['id']}/rename", {"code": "4711"})
    office.disconnect(company)
    office.world.wait(minutes=2)
    office.reconnect(company)
    [payment] = company.moves(spends(100))

    office.night()

    assert company.coding_account()["code"] == company.row(payment)["line_account_code"] == "4711"


def test_a_renumbered_bank_account_is_known_by_its_id(office: Office) -> None:
    company = office.established()
    [account] = company.bank_accounts()
    company.in_xero(f"accounts/{account['id']}/rename", {"code": "090", "name": "Current account"})
    [payment] = company.moves(spends(100))

    office.night()

    assert ours(company) == [("BANK", "ACTIVE"), ("CURRENT", "ACTIVE")]
    assert company.row(payment)["account_id"] == account["id"]
