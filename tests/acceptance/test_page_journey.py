"""A customer's whole way over the page: sign in, connect, see it work, disconnect, connect again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.credential import Credential, forget
from models.organisation import Connection
from models.states import ConnectionState, Lane
from services.request_sync import request_sync
from tests.acceptance.page import NAME, Visitor, connected, follow
from tests.acceptance.world import Office, before, spends

pytestmark = pytest.mark.acceptance

# What is shown is the same whatever keeps it; what is kept, and who comes first, is tried on both.
shown_alike = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_customer_signs_in_names_the_connection_says_yes_at_xero_and_is_done(
    office: Office, visitor: Visitor
) -> None:
    ada = visitor()

    start = ada.sign_in()
    assert start.heading == "Connect Xero"
    confirm = ada.consent()
    assert confirm.heading == "Connect to Farolillo Libros?"
    assert "not locked" in confirm.html
    finished = ada.browser.press(confirm, "Connect")

    assert finished.heading == "Xero is connected"
    assert "being read" in finished.html
    follow(office, ada)
    office.run_until_quiet()
    again = ada.browser.get("/connected")
    assert "in Xero" in again.html
    assert [account["name"] for account in ada.company.bank_accounts()] == ["Main"]
    assert (ada.company.connection.name, ada.company.connection.state) == (NAME, ConnectionState.LIVE)


@shown_alike
def test_the_page_says_what_the_last_night_did_and_who_connected_it(office: Office, visitor: Visitor) -> None:
    ada = connected(office, visitor())
    ada.company.moves(spends(12_50), spends(3_00))
    office.night()
    rita = visitor(ada.company)

    shown = rita.sign_in("reporting")

    assert shown.heading == NAME
    assert "done" in shown.html
    assert "2 transactions sent" in shown.html
    assert "Ada Lovelace" in shown.html
    assert ada.person("owner")["id"] not in shown.html
    assert len(ada.company.rows()) == 2


def test_reconnecting_to_the_same_xero_organisation_sends_nothing_twice(office: Office, visitor: Visitor) -> None:
    ada = connected(office, visitor())
    before = ada.company.moves(spends(12_50), spends(3_00))
    office.night()

    ada.sign_in()
    left = ada.disconnect()
    assert left.heading == NAME
    assert "Being disconnected" in left.html
    office.run_until_quiet()
    assert ada.browser.get("/").heading == "Connect Xero"
    assert ada.browser.get("/connect").form("Continue to Xero").fields["name"] == [NAME]
    ada.connect()
    follow(office, ada)
    after = ada.company.moves(spends(7_00))
    office.night()

    assert sorted(ada.company.row_ids()) == sorted(before + after)
    assert len(ada.company.bank_accounts()) == 1


@shown_alike
def test_whoever_disconnects_what_they_have_just_connected_signs_in_again(office: Office, visitor: Visitor) -> None:
    ada = connected(office, visitor())
    office.run_until_quiet()

    ada.disconnect()
    office.run_until_quiet()

    assert ada.browser.get("/").heading == "You are signed out"  # what let us into Qonto is gone, here too
    assert ada.browser.session == ""
    assert {one.secret for one in Credential.select()} == {""}
    assert ada.sign_in().heading == "Connect Xero"


def test_reconnecting_to_another_xero_organisation_starts_books_of_its_own(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    other = office.world.sandbox.post("/tenants", {"tenant_name": "Farolillo Norte"})["tenant_id"]
    ada.reaches(ada.company.tenant, other)
    ada.sign_in()
    ada.connect()
    follow(office, ada)
    before = ada.company.moves(spends(12_50))
    office.night()
    assert ada.company.row_ids() == before
    ada.sign_in()
    ada.disconnect()
    office.run_until_quiet()

    ada.connect(other)
    office.companies.clear()  # of what was connected before, no more is asked
    ada.company.known["tenant_id"], ada.company.starts_at = other, None
    follow(office, ada)
    after = ada.company.moves(spends(7_00))
    office.night()

    assert ada.company.row_ids() == after
    assert len(ada.company.bank_accounts()) == 1


@shown_alike
def test_a_customer_whom_xero_lets_out_reconnects_and_nothing_is_missing(office: Office, visitor: Visitor) -> None:
    ada = connected(office, visitor())
    office.run_until_quiet()
    ada.company.in_xero("disconnect")
    missed = ada.company.moves(spends(12_50))
    office.night()

    shown = ada.sign_in()
    assert "Needs reconnecting" in shown.html
    again = ada.browser.follow(shown, "Reconnect Xero")
    assert again.heading == "Reconnect Xero"
    ada.connect(name="New name")
    office.night()

    assert ada.sign_in().heading == "New name"
    assert ada.company.row_ids() == missed


@shown_alike
def test_whoever_reconnects_in_the_session_that_connected_is_connected(office: Office, visitor: Visitor) -> None:
    ada = connected(office, visitor())
    office.run_until_quiet()
    ada.company.in_xero("disconnect")
    request_sync(ada.company.connection, Lane.INTERACTIVE, "ada", office.world.now)
    office.run_until_quiet()
    assert ada.company.connection.state == ConnectionState.NEEDS_RECONNECT

    ada.connect()

    assert ada.browser.get("/").heading == NAME
    [paid] = ada.company.moves(spends(12_50))
    office.night()
    assert ada.company.row_ids() == [paid]


@shown_alike
def test_what_keeps_transactions_out_of_xero_is_said_with_what_to_do(office: Office, visitor: Visitor) -> None:
    ada = connected(office, visitor())
    [held] = ada.company.moves(spends(12_50))
    today = office.world.now.date().isoformat()
    ada.company.in_xero("lock-date", {"period_lock_date": today})
    office.night()
    ada.company.missing[held] = "held: lock_date"

    shown = ada.sign_in()

    assert "What needs your attention" in shown.html
    assert "1 transaction" in shown.html
    assert "Move the lock date and it is sent the next night." in shown.html


@shown_alike
def test_before_saying_yes_a_customer_reads_what_it_means_tonight(office: Office, visitor: Visitor) -> None:
    locked = office.world.now.date().isoformat()
    london = {"tenant_name": "London Ltd", "base_currency": "GBP", "period_lock_date": locked}
    ada = visitor(books=london)
    ada.sign_in()

    confirm = ada.consent()

    assert "<dd>GBP</dd>" in confirm.html
    assert "does not have the currency EUR" in confirm.html
    assert "Transactions dated until then wait until you move the lock date in Xero." in confirm.html
    ada.company.in_xero("currencies", {"add": ["EUR"]})
    ada.company.in_xero("lock-date", {"period_lock_date": "2020-12-31"})
    better = ada.browser.get(confirm.address)
    assert "does not have" not in better.html
    assert "Xero converts them to GBP" in better.html
    assert "31 December 2020" in better.html
    assert "so nothing waits for that" in better.html


def test_whoever_cancels_leaves_nothing_behind(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()

    ada.browser.press(ada.consent(), "Cancel")

    assert Connection.select().count() == 0
    assert [one.kind for one in Credential.select()] == ["qonto_oauth"]
    tenants = office.world.sandbox.get("/tenants")["tenants"]
    assert [one["connected"] for one in tenants if one["tenant_id"] == ada.company.tenant] == [False]


@shown_alike
def test_names_from_qonto_and_xero_are_shown_and_never_run(office: Office, visitor: Visitor) -> None:
    hostile = "<script>alert(1)</script>"
    ada = visitor(
        name=f"{hostile} SL",
        people=[{"first_name": hostile, "last_name": '"><b>', "role": "owner"}],
        accounts=[{"name": f"Main {hostile}"}],
        books={"tenant_name": f"Books {hostile}"},
    )
    ada.sign_in()
    ada.connect(name=f"Mine {hostile}")
    follow(office, ada)
    office.run_until_quiet()
    ada.browser.get("/")
    ada.browser.get("/disconnect")

    for shown in ada.browser.seen:
        assert "<script>alert" not in shown.html
        assert '"><b>' not in shown.html
    assert "&lt;script&gt;" in ada.browser.seen[-1].html


def test_two_tabs_that_connect_at_once_make_one_connection(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    eva = visitor(ada.company)
    eva.sign_in()
    confirms = [person.consent() for person in (ada, eva)]
    people = list(zip((ada, eva), confirms, strict=True))

    with ThreadPoolExecutor(2) as threads:
        shown = list(threads.map(lambda one: one[0].browser.press(one[1], "Connect"), people))

    assert sorted(one.status for one in shown) == [200, 409]
    assert Connection.select().count() == 1
    follow(office, ada)
    office.run_until_quiet()
    assert len(ada.company.bank_accounts()) == 1


def test_whoever_presses_connect_twice_is_connected_once_and_told_so_twice(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    confirm = ada.consent()
    twin = visitor(ada.company)
    twin.browser.cookies = dict(ada.browser.cookies)

    with ThreadPoolExecutor(2) as threads:
        shown = list(threads.map(lambda one: one.browser.press(confirm, "Connect"), (ada, twin)))
    late = ada.browser.press(confirm, "Connect")

    assert [one.heading for one in (*shown, late)] == ["Xero is connected"] * 3
    assert Connection.select().count() == 1
    follow(office, ada)
    office.run_until_quiet()
    assert len(ada.company.bank_accounts()) == 1


def test_what_a_consent_opened_and_nobody_chose_is_left_again(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    others = [office.world.sandbox.post("/tenants", {"tenant_name": name})["tenant_id"] for name in ("Norte", "Sur")]
    ada.reaches(ada.company.tenant, *others)
    ada.sign_in()
    choose = ada.consent(ada.company.tenant, *others)
    confirm = ada.browser.press(choose, "Continue", tenant=ada.company.tenant)

    ada.browser.press(confirm, "Connect")

    assert reached(office, ada.company.tenant, *others) == [True, False, False]
    follow(office, ada)
    office.run_until_quiet()
    before = office.world.last_request()
    ada.disconnect()
    office.run_until_quiet()
    assert reached(office, ada.company.tenant, *others) == [False, False, False]
    asked = office.world.sandbox.get("/requests", after=str(before), service="identity")["requests"]
    assert [one["path"] for one in asked] == ["/connect/revocation"]  # it was the login's last


def reached(office: Office, *tenants: str) -> list[bool]:
    """Whether Xero says that somebody let us into each."""
    known = {one["tenant_id"]: one["connected"] for one in office.world.sandbox.get("/tenants")["tenants"]}
    return [known[tenant] for tenant in tenants]


def test_nobody_connects_over_what_was_erased_in_another_tab(office: Office, visitor: Visitor) -> None:
    ada = visitor()
    ada.sign_in()
    first, second = ada.consent(), ada.consent()
    ada.browser.press(first, "Connect")
    follow(office, ada)
    office.run_until_quiet()

    Connection.update(state=ConnectionState.DISCONNECTED, ended_at=office.world.now).execute()
    erased: list[str] = [ada.company.connection.qonto_credential_id]

    with before("services.connect.list_tenants", lambda: forget(erased)):
        shown = ada.browser.press(second, "Connect")

    assert shown.status == 409
    assert "being disconnected" in shown.html
    assert Connection.select().where(Connection.state == ConnectionState.LIVE).count() == 0
    office.companies.clear()  # it never had a night


@shown_alike
def test_whoever_reconnects_reads_that_what_settled_meanwhile_follows(office: Office, visitor: Visitor) -> None:
    ada = connected(office, visitor())
    office.run_until_quiet()
    ada.company.in_xero("disconnect")
    request_sync(ada.company.connection, Lane.INTERACTIVE, "ada", office.world.now)
    office.run_until_quiet()

    assert ada.browser.get("/connected").heading == NAME
    nameless = ada.browser.press(ada.browser.get("/connect"), "Continue to Xero", name=" ")
    assert (nameless.status, nameless.heading) == (422, "Reconnect Xero")
    confirm = ada.consent()

    assert "Everything that settled meanwhile follows tonight." in confirm.html
    assert "stays out" not in confirm.html
    assert "Accounts to be created" not in confirm.html


@shown_alike
def test_where_an_account_cannot_be_made_the_page_does_not_say_that_all_are_there(
    office: Office, visitor: Visitor
) -> None:
    ada = visitor(books={"base_currency": "GBP", "currencies": []})
    ada.sign_in()
    ada.connect()
    follow(office, ada)
    office.run_until_quiet()

    shown = ada.browser.get("/connected")

    assert "Not every account is in Farolillo Libros yet" in shown.html
    assert "Your accounts are in" not in shown.html
