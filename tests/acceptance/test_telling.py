"""Qonto's core is told what happens to a connection, each thing once, and nothing that names or quotes anybody."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from clients.errors import Temporary
from domain.core_event import Told
from domain.reasons import sentence
from models.states import ConnectionState, Lane
from services.connect import CannotConnect
from services.disconnect import ask_to_disconnect
from services.request_sync import request_sync
from services.sync_organisation import MOST_STARTS
from tests.acceptance.world import Company, Office, Row, spends

pytestmark = pytest.mark.acceptance

LOCK = {"period_lock_date": "2099-01-01"}


def lock(company: Company) -> None:
    company.in_xero("lock-date", LOCK)


def problem(code: str, *, transactions: int = 0, accounts: int = 0) -> Row:
    return {"code": code, "sentence": sentence(code), "transactions": transactions, "accounts": accounts}


def problems(company: Company) -> list[list[Row]]:
    """Those of each night that had any."""
    return [event["data"]["problems"] for event in company.told(Told.PROBLEM)]


def leave(company: Company, *transaction_ids: str) -> None:
    """The journey ends before these are in Xero."""
    company.missing |= {key: company.state(key) for key in transaction_ids}


# Connecting.


def test_a_connection_is_told_with_the_commit_that_makes_it(office: Office) -> None:
    company = office.connected()

    [event] = company.told()
    assert event["type"] == "connection.created"
    assert event["subject"] == company.connection_id
    assert event["data"] == {
        "organization_id": company.id,
        "connection_id": company.connection_id,
        "xero_tenant_id": company.tenant,
        "reconnected": False,
        "starts_at": office.world.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def test_whoever_cannot_connect_is_not_told_to_be_connected(office: Office) -> None:
    company = office.connected()

    with pytest.raises(CannotConnect):
        office.reconnect(company)

    assert company.told_types() == ["connection.created"]


def test_whoever_comes_back_to_a_xero_organisation_is_told_to_come_back(office: Office) -> None:
    company = office.established()
    former = company.connection_id
    office.disconnect(company)

    office.reconnect(company)

    first, again = company.told(Told.CREATED)
    assert [event["data"]["reconnected"] for event in (first, again)] == [False, True]
    assert (first["subject"], again["subject"]) == (former, company.connection_id)


def test_whoever_connects_another_xero_organisation_does_not_come_back(office: Office) -> None:
    company = office.established()
    office.disconnect(company)
    other = office.company("Other books")
    company.known |= {"tenant_id": other.tenant, "xero_tokens": other.known["xero_tokens"]}
    company.starts_at = office.world.now

    office.reconnect(company)

    assert [event["data"]["reconnected"] for event in company.told(Told.CREATED)] == [False, False]


# Breaking.


@pytest.mark.parametrize("what", ["revoke", "disconnect"])
def test_a_break_is_told_once_although_several_runs_meet_it(office: Office, what: str) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    company.in_xero(what)
    office.at_23()
    request_sync(company.connection, Lane.INTERACTIVE, "ada", office.world.now)

    office.run_until_quiet()
    office.morning()
    office.night()

    [event] = company.told(Told.BROKEN)
    assert event["data"]["code"] == "xero_access_ended"
    assert event["data"]["sentence"] == sentence("xero_access_ended")
    assert [run.state for run in company.runs()[-2:]] == ["failed", "failed"]
    assert company.told_types() == ["connection.created", "sync.completed", "connection.broken"]
    leave(company, payment)


@pytest.mark.parametrize("by_oauth", [False, True])
def test_a_break_at_qonto_is_told_as_such(office: Office, by_oauth: bool) -> None:
    company = office.connect(office.company(), qonto_by_oauth=by_oauth)
    if by_oauth:
        company.at_qonto("revoke")
    else:
        office.world.fault("status", service="qonto", method="GET", path="/bank_accounts$", status=401, times=None)

    office.night()

    [event] = company.told(Told.BROKEN)
    assert event["data"]["code"] == "qonto_access_ended"


def test_a_connection_that_broke_twice_and_was_made_well_twice_is_told_so(office: Office) -> None:
    company = office.established()

    for _ in range(2):
        company.in_xero("revoke")
        office.night()
        office.reconnect(company)

    assert company.told_types()[2:] == ["connection.broken", "connection.created"] * 2
    assert {event["subject"] for event in company.told()} == {company.connection_id}
    assert [event["data"]["reconnected"] for event in company.told(Told.CREATED)] == [False, True, True]


def test_what_a_person_is_ending_is_not_told_to_be_broken(office: Office) -> None:
    company = office.established()
    company.in_xero("revoke")

    office.disconnect(company)

    assert company.told_types()[2:] == ["connection.disconnected"]


# Ending.


def test_an_end_is_told_once_and_not_why(office: Office) -> None:
    company = office.established()

    office.disconnect(company)

    [event] = company.told(Told.DISCONNECTED)
    assert event["data"].keys() == {"organization_id", "connection_id", "xero_tenant_id", "ended_at"}
    assert company.connection.reason == "we moved"
    assert "we moved" not in json.dumps(company.told())


@pytest.mark.parametrize(
    ("place", "when"),
    [
        ("services.disconnect.end", "before"),
        ("services.disconnect.end_runs_of", "after"),
        ("services.disconnect.list_connections", "before"),
        ("services.disconnect.forget", "before"),
    ],
)
def test_an_end_over_which_a_worker_dies_is_told_once(office: Office, place: str, when: str) -> None:
    company = office.established()
    ask_to_disconnect(company.connection, "ada", "we moved", office.world.now)

    with office.power_cut(place, when=when):
        office.turn()
    office.run_until_quiet()

    assert company.connection.state == ConnectionState.DISCONNECTED
    assert len(company.told(Told.DISCONNECTED)) == 1


def test_a_night_that_a_person_ended_is_neither_done_nor_a_problem(office: Office) -> None:
    company = office.established()
    payments = company.moves(*(spends(100 + number) for number in range(200)))
    office.at_23()
    ask_to_disconnect(company.connection, "ada", "we moved", office.world.now)

    office.run_until_quiet()

    assert company.told_types()[2:] == ["connection.disconnected"]
    leave(company, *payments)


# Nights.


def test_a_night_that_is_done_is_told_with_what_it_did(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100), spends(200))

    office.night()

    [event] = company.told(Told.COMPLETED)
    [run] = company.runs()
    data = event["data"]
    assert (data["imported"], data["posted"], data["accounts_created"], data["held"]) == (2, 2, 1, {})
    assert data["local_date"] == run.local_date.isoformat()
    assert data["finished_at"] == run.finished_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert company.told(Told.PROBLEM) == []


def test_a_night_that_takes_several_turns_is_told_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.job.TURN_TRANSACTIONS", 50)
    company = office.connected()
    company.moves(*(spends(100 + number) for number in range(120)))

    office.night()

    assert [event["data"]["posted"] for event in company.told(Told.COMPLETED)] == [120]
    assert company.runs()[0].turns > 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_night_whose_worker_dies_as_it_ends_is_told_once(office: Office, when: str) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()

    with office.power_cut("services.sync_organisation.tell_core", when=when):
        office.turn()
    office.run_until_quiet()

    assert [event["data"]["posted"] for event in company.told(Told.COMPLETED)] == [0, 1]


def test_what_a_person_asks_for_and_what_is_observed_is_not_told(office: Office) -> None:
    company = office.established()
    [held] = company.moves(spends(100))
    lock(company)

    office.sync_now(company)

    assert {run.kind for run in company.runs()} == {"nightly", "observation", "manual"}
    assert company.told_types() == ["connection.created", "sync.completed"]
    leave(company, held)


def test_what_waits_is_counted_by_its_reason_and_told_each_night_as_a_problem(office: Office) -> None:
    company = office.established()
    held = company.moves(spends(100), spends(200))
    lock(company)

    office.night()
    office.night()

    assert [event["data"]["held"] for event in company.told(Told.COMPLETED)[1:]] == [{"lock_date": 2}] * 2
    assert problems(company) == [[problem("lock_date", transactions=2)]] * 2
    assert [event["data"]["state"] for event in company.told(Told.PROBLEM)] == ["done", "done"]
    leave(company, *held)


def test_what_xero_rejected_is_told_by_one_night_for_nobody_can_end_it(office: Office) -> None:
    company = office.established()
    [refused] = company.moves(spends(100))
    office.workbench = replace(office.workbench, qonto_app_url="a link that is none")

    for _ in range(5):
        office.night()

    waits, final = problem("refused_for_now", transactions=1), problem("refused_by_xero", transactions=1)
    assert problems(company) == [[waits], [waits], [final]]
    leave(company, refused)


def test_an_account_that_xero_does_not_make_is_a_problem_also_while_nothing_waits_for_it(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Pounds", "currency": "GBP"}, {"name": "Euros"}])

    office.night()

    assert problems(company) == [[problem("currency_not_enabled", accounts=1)]]


def test_an_account_that_was_closed_before_xero_made_it_is_no_problem_any_more(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Pounds", "currency": "GBP"}, {"name": "Euros"}])
    office.night()
    company.at_qonto(f"accounts/{company.account_id}/close")

    office.night()

    assert len(problems(company)) == 1


def test_transactions_and_the_account_that_they_wait_for_are_one_problem(office: Office) -> None:
    company = office.connected(xero={"base_currency": "GBP", "currencies": []})
    held = company.moves(spends(100), spends(200))

    office.night()

    assert problems(company) == [[problem("currency_not_enabled", transactions=2, accounts=1)]]
    leave(company, *held)


def test_balances_that_do_not_chain_are_a_problem_that_holds_nothing(office: Office) -> None:
    company = office.connected()
    _, hidden, _ = company.moves(spends(100), spends(200), spends(300))
    office.qonto_lists(lambda rows: [row for row in rows if row["id"] != hidden])

    office.night()

    [event] = company.told(Told.COMPLETED)
    assert event["data"]["held"] == {}
    assert problems(company) == [[problem("balances_do_not_chain", accounts=1)]]
    office.restart()
    office.night()
    assert len(problems(company)) == 1


def _no_answer(*_: object) -> None:
    raise Temporary("Xero GET /Organisation", "answered 503", 503)


def test_a_night_that_failed_is_a_problem_with_what_it_left_and_the_next_one_is_done(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.verdict.BACKOFF", ())
    company = office.established()
    company.moves(spends(100), spends(200))
    with monkeypatch.context() as patch:
        patch.setattr("services.steps.settle_holds", _no_answer)
        office.night()

    [event] = company.told(Told.PROBLEM)
    assert event["data"]["state"] == "failed"
    assert event["data"]["problems"] == [problem("not_done_in_time", transactions=2)]
    assert len(company.told(Told.COMPLETED)) == 1
    office.night()
    assert company.told_types()[3:] == ["sync.completed"]


def test_a_night_over_which_workers_died_is_a_problem(office: Office) -> None:
    company = office.established()
    office.at_23()

    for _ in range(MOST_STARTS):
        with office.power_cut("services.steps.provision_accounts", when="before"):
            office.turn()
        office.world.move_to(max(office.world.now, office.next_wake()))
    office.run_until_quiet()

    assert problems(company) == [[problem("interrupted_again_and_again")]]


# All of them.


def test_everything_that_is_told_is_by_the_contract_and_names_nobody(office: Office) -> None:
    company = office.established("Gregoria Farolillo", accounts=[{"name": "Impuestos"}])
    [payment] = company.moves(spends(100, "Nube Hosting", reference="Invoice 42"))
    lock(company)
    office.night()
    company.in_xero("revoke")
    office.night()
    office.disconnect(company)

    told = json.dumps(company.told())

    assert set(company.told_types()) == set(Told)  # and each is held against the contract when the journey ends
    ids = [event["id"] for event in company.told()]
    assert len(set(ids)) == len(ids)
    account = company.known["accounts"][0]
    names = ["Gregoria", "Impuestos", "Nube", "Invoice 42", '"ada"', "we moved", company.known["slug"], account["iban"]]
    assert [name for name in names if name in told] == []
    leave(company, payment)
