"""Being let in: tokens expire, answers get lost, and people take back what they allowed."""

from __future__ import annotations

from typing import Any

import pytest

from models.states import ConnectionState
from tests.acceptance.world import Company, Office, Request, read_log, spends

pytestmark = pytest.mark.acceptance


def refreshes(office: Office, after: int = 0) -> list[Request]:
    return [request for request in read_log(office.world, after) if request.path.endswith("/token")]


def expect_nothing_sent(company: Company, *transaction_ids: str) -> None:
    """The journey ends before these are in Xero."""
    company.missing |= {key: company.state(key) for key in transaction_ids}


def test_a_token_that_is_refused_between_two_calls_is_refreshed_once_and_the_call_made_once_more(
    office: Office,
) -> None:
    company = office.established()
    company.moves(*(spends(100 + number) for number in range(60)))
    office.at_23()
    office.world.fault("status", status=401, skip=1)
    asked = office.world.last_request()

    office.run_until_quiet()

    statuses = [request.status for request in company.postings_sent()]
    assert statuses == [200, 401, 200]
    assert len(refreshes(office, asked)) == 2  # one for the night, one for the refused token
    assert company.states() == {"posted": 60}


@pytest.mark.parametrize("action", ["drop", "truncated", "garbage"])
def test_when_the_answer_to_a_refresh_is_lost_the_old_token_is_tried_again(office: Office, action: str) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    office.world.fault(action, service="identity", method="POST", path="/connect/token$", when="after")

    office.run_until_quiet()

    assert company.states() == {"posted": 1}
    assert company.connection.state == ConnectionState.LIVE


@pytest.mark.parametrize(
    ("what", "told"),
    [("revoke", "invalid_grant"), ("disconnect", "403")],
)
def test_once_xero_no_longer_lets_us_in_a_person_must_reconnect_and_we_do_not_ask_again(
    office: Office, what: str, told: str
) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    company.in_xero(what)

    office.night()

    run = company.runs()[-1]
    assert run.state == "failed"
    assert "reconnect" in run.reason
    assert told in company.connection.reason
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT
    asked = office.world.last_request()
    office.night()
    assert read_log(office.world, asked) == []
    expect_nothing_sent(company, payment)


def test_what_was_uncertain_when_xero_shut_us_out_stays_so_until_a_person_reconnects(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    company.in_xero("disconnect")
    office.run_until_quiet()
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT
    assert company.state(payment) == "uncertain"

    office.reconnect(company)
    office.night()

    assert company.connection.state == ConnectionState.LIVE
    assert [request.status for request in company.postings_sent()] == [0, 403]


@pytest.mark.parametrize("what", ["revoke", "disconnect"])
def test_after_reconnecting_the_next_night_sends_what_is_missing_and_nothing_twice(office: Office, what: str) -> None:
    company = office.established()
    company.moves(spends(100))
    office.night()
    company.in_xero(what)
    company.moves(spends(200))
    office.night()
    assert company.states() == {"posted": 1}

    office.reconnect(company)
    company.moves(spends(300))
    office.night()

    assert company.states() == {"posted": 3}
    assert len(company.bank_accounts()) == 1


@pytest.mark.parametrize("by_oauth", [False, True])
def test_a_key_or_token_that_qonto_no_longer_takes_needs_a_person(office: Office, by_oauth: bool) -> None:
    company = office.connect(office.company(), qonto_by_oauth=by_oauth)
    [payment] = company.moves(spends(100))
    if by_oauth:
        company.at_qonto("revoke")
    else:
        office.world.fault("status", service="qonto", method="GET", path="/bank_accounts$", status=401, times=None)

    office.night()

    assert company.connection.state == ConnectionState.NEEDS_RECONNECT
    assert company.runs()[-1].state == "failed"
    asked = office.world.last_request()
    office.night()
    assert read_log(office.world, asked) == []
    expect_nothing_sent(company, payment)


def test_an_organisation_connected_by_oauth_is_synced_night_after_night(office: Office) -> None:
    company = office.connect(office.company(), qonto_by_oauth=True)
    for cents in (100, 200):
        company.moves(spends(cents))
        office.night()

    assert company.states() == {"posted": 2}


def test_refreshing_is_not_repeated_for_a_tenant_that_is_refused_for_good(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.at_23()
    always: dict[str, Any] = {"method": "GET", "path": "/Accounts$", "times": None}
    office.world.fault("status", status=401, **always)
    asked = office.world.last_request()

    office.run_until_quiet()

    assert len(refreshes(office, asked)) == 2
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT
    expect_nothing_sent(company, payment)
