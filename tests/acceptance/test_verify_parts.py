"""A verification is of one organisation, and of what can be read: the rest is verified by itself, later."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from clients.http import Answer, Http
from models.bank_account import doubted_accounts
from models.sync_run import SyncRun
from services.verify import distrust_record
from services.verify_books import ask_to_verify
from tests.acceptance.test_verify import _forget
from tests.acceptance.world import Company, Office, spends

pytestmark = pytest.mark.acceptance


class Unread(Http):
    """Passes everything on, but does not give one account's transactions."""

    def __init__(self, http: Http, account_id: str, status: int) -> None:
        self._http, self._account_id, self._status = http, account_id, status

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        not_after: float = math.inf,
    ) -> Answer:
        if url.endswith("/v2/transactions") and (params or {}).get("bank_account_id") == self._account_id:
            return Answer(self._status, {}, json.dumps({"errors": [{"code": "not_found", "detail": "no"}]}).encode())
        return self._http.call(method, url, headers=headers, params=params, body=body, not_after=not_after)


def _refuse(office: Office, account_id: str, status: int) -> None:
    """Until the office restarts."""
    office.workbench = replace(office.workbench, http=Unread(office.workbench.http, account_id, status))


def _looks_of_a_night(office: Office, company: Company) -> int:
    """How often a night looks at Xero's rows."""
    office.at_23()
    asked = office.world.last_request()
    office.run_until_quiet()
    return len([request for request in company.requests(asked) if request.is_look])


def test_a_verification_names_nothing_of_an_organisation_that_was_connected_before(office: Office) -> None:
    first = office.established("Alpha")
    theirs = first.moves(spends(111), spends(222))
    office.night()
    office.disconnect(first)
    office.world.wait(hours=3)
    second = office.company("Beta", xero={"tenant_id": first.tenant})
    office.connect(second)
    second.moves(spends(333))
    office.night()
    second.in_xero(f"bank-transactions/{first.row(theirs[0])['id']}/delete")

    run = ask_to_verify(second.connection, "ada", "to be sure", office.world.now)
    office.run_until_quiet()

    assert (SyncRun.get_by_id(run.id).state, SyncRun.get_by_id(run.id).reason) == ("done", "")


@pytest.mark.parametrize("status", [404, 500])
def test_an_account_that_cannot_be_read_does_not_keep_a_verification_from_its_end(office: Office, status: int) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Broken"}])
    company.moves(spends(100))
    office.night()
    distrust_record(office.world.now, "ada", "the disk broke", office.world.now)
    _refuse(office, company.account_ids[1], status)
    [one] = company.moves(spends(200))
    first = _looks_of_a_night(office, company)
    [other] = company.moves(spends(300))
    second = _looks_of_a_night(office, company)

    assert (first, second) == (2, 0)  # one verification looks twice, because a list may lack a row
    assert company.state(one) == company.state(other) == "posted"
    assert company.connection.verify_since is None
    assert doubted_accounts(company.connection_id).keys() == {company.account_ids[1]}


@pytest.mark.parametrize("status", [404, 500])
def test_an_account_that_could_not_be_read_is_verified_before_anything_of_it_is_sent(
    office: Office, status: int
) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Broken"}])
    broken = company.account_ids[1]
    forgotten = company.moves(spends(100, account_id=broken), spends(200, account_id=broken))
    office.night()
    _forget(*forgotten)
    distrust_record(office.world.now, "ada", "the disk broke", company.starts_at or office.world.now)
    _refuse(office, broken, status)
    office.night()
    assert company.connection.verify_since is None

    office.restart()
    [new] = company.moves(spends(300, account_id=broken))
    office.night()

    assert company.states() == {"posted": 3}
    assert company.duplicates() == []
    assert [request.urls()[0].endswith(new) for request in company.postings_sent()][1:] == [True]
    assert doubted_accounts(company.connection_id) == {}


def test_a_verification_of_what_can_be_read_ends_though_an_account_never_answers(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Broken"}])
    [forgotten] = company.moves(spends(100))
    office.night()
    _forget(forgotten)
    _refuse(office, company.account_ids[1], 500)

    run = ask_to_verify(company.connection, "ada", "to be sure", office.world.now)
    office.run_until_quiet()

    ended = SyncRun.get_by_id(run.id)
    assert ended.state == "done"
    assert company.account_ids[1] in ended.reason
    assert company.state(forgotten) == "posted"
    office.restart()


def _forgotten_and_verified(office: Office, company: Company, forgotten: list[str]) -> None:
    """A night that verifies what is left of the record, and the next one, when everything can be read."""
    _forget(*forgotten)
    distrust_record(office.world.now, "ada", "the disk broke", company.starts_at or office.world.now)
    office.night()
    assert company.connection.verify_since is None
    office.restart()
    office.night()


@pytest.mark.parametrize("how", ["unreadable", "missing"])
def test_an_account_that_qonto_did_not_list_is_verified_before_anything_of_it_is_sent(office: Office, how: str) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Broken"}])
    broken = company.account_ids[1]
    forgotten = company.moves(spends(100, account_id=broken), spends(200, account_id=broken))
    office.night()
    odd = [{"status": 5}] if how == "unreadable" else []
    office.qonto_lists_accounts(
        lambda rows: [new for row in rows for new in ([row | one for one in odd] if row["id"] == broken else [row])]
    )

    _forgotten_and_verified(office, company, forgotten)

    assert company.states() == {"posted": 2}
    assert company.duplicates() == []
    assert doubted_accounts(company.connection_id) == {}


@pytest.mark.parametrize("how", ["unreadable", "missing"])
def test_a_transaction_that_could_not_be_read_is_verified_before_it_is_sent(office: Office, how: str) -> None:
    company = office.established()
    forgotten = company.moves(spends(100), spends(200))
    office.night()
    odd = [{"amount_cents": "x"}] if how == "unreadable" else []
    office.qonto_lists(
        lambda rows: [
            new for row in rows for new in ([row | one for one in odd] if row["id"] == forgotten[0] else [row])
        ]
    )

    _forgotten_and_verified(office, company, forgotten)

    assert company.states() == {"posted": 2}
    assert company.duplicates() == []
    assert doubted_accounts(company.connection_id) == {}


def test_an_account_that_never_answered_stays_doubted_though_a_limit_ends_the_turn(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Broken"}])
    broken = company.account_ids[1]
    forgotten = company.moves(spends(100, account_id=broken), spends(200))
    office.night()
    _forget(*forgotten)
    _refuse(office, broken, 500)
    office.world.fault("status", method="GET", path="/BankTransactions$", status=429, times=1)

    ask_to_verify(company.connection, "ada", "to be sure", office.world.now)
    office.run_until_quiet()

    assert doubted_accounts(company.connection_id).keys() == {broken}
    office.restart()
    office.night()
    assert company.states() == {"posted": 2}
    assert company.duplicates() == []


@pytest.mark.parametrize("status", [400, 503])
def test_a_doubted_account_that_cannot_be_looked_up_holds_up_no_other(office: Office, status: int) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Broken"}])
    broken = company.account_ids[1]
    forgotten = company.moves(spends(100, account_id=broken))
    office.night()
    _forget(*forgotten)
    distrust_record(office.world.now, "ada", "the disk broke", company.starts_at or office.world.now)
    _refuse(office, broken, 404)
    office.night()
    office.restart()
    doubted, other = company.moves(spends(300, account_id=broken), spends(400))
    office.world.fault("status", method="GET", path="/BankTransactions$", status=status, times=None)

    office.night()

    assert (company.state(doubted), company.state(other)) == ("due", "posted")
    assert doubted_accounts(company.connection_id).keys() == {broken}
    office.world.end_faults()
    office.night()
    assert company.states() == {"posted": 3}
    assert company.duplicates() == []
