"""Being let in: tokens expire, answers get lost, and people take back what they allowed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.access import LEAST_TIME
from models.access_refusal import refusals_of
from models.credential import Credential
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


@pytest.mark.parametrize(("seconds_left", "renewed"), [(59, 1), (120, 0)])
def test_a_token_that_could_end_during_a_call_is_renewed_before_it(
    office: Office, seconds_left: int, renewed: int
) -> None:
    company = office.established()
    office.sync_now(company)
    expires_at = Credential.get_by_id(company.connection.xero_credential_id).expires_at
    office.world.move_to(expires_at - timedelta(seconds=seconds_left))
    asked = office.world.last_request()

    office.sync_now(company)

    assert len(refreshes(office, asked)) == renewed
    assert {request.status for request in read_log(office.world, asked)} == {200}


@pytest.mark.parametrize("action", ["drop", "truncated", "garbage"])
@pytest.mark.parametrize("side", ["qonto", "identity"])
def test_when_the_answer_to_a_refresh_is_lost_the_old_token_is_tried_again_at_once(
    office: Office, side: str, action: str
) -> None:
    company = office.connect(office.company(), qonto_by_oauth=True)
    company.moves(spends(100))
    office.at_23()
    office.world.fault(action, service=side, method="POST", path="/token$", when="after", times=2)

    office.turn()

    assert company.states() == {"posted": 1}
    assert company.connection.state == ConnectionState.LIVE


def test_a_token_that_is_lost_for_longer_than_qontos_grace_is_no_accident_of_one_answer(office: Office) -> None:
    company = office.connect(office.company(), qonto_by_oauth=True)
    [payment] = company.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()
    office.world.fault("drop", service="qonto", method="POST", path="/token$", when="after", times=5)

    office.turn()
    office.world.wait(seconds=61)
    office.run_until_quiet()

    assert [request.status for request in refreshes(office, asked)].count(0) == 5
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT
    expect_nothing_sent(company, payment)


def test_our_own_application_being_refused_breaks_no_connection_and_is_tried_until_we_mend_it(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    office.world.fault("status", service="identity", method="POST", path="/token$", status=401, times=3)

    office.run_until_quiet()

    assert company.connection.state == ConnectionState.LIVE
    assert company.states() == {"posted": 1}


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
    assert (run.state, run.turns) == ("failed", 1)
    assert "reconnect" in run.reason
    assert told in company.connection.reason
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT
    asked = office.world.last_request()
    office.morning()
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
    office.world.wait(hours=3)
    office.run_until_quiet()
    assert read_log(office.world, asked) == []
    expect_nothing_sent(company, payment)


def test_an_organisation_connected_by_oauth_is_synced_night_after_night(office: Office) -> None:
    company = office.connect(office.company(), qonto_by_oauth=True)
    for cents in (100, 200):
        company.moves(spends(cents))
        office.night()

    assert company.states() == {"posted": 2}


def test_a_fresh_token_that_is_refused_for_hours_is_tried_a_few_times_and_then_needs_a_person(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.at_23()
    always: dict[str, Any] = {"method": "GET", "path": "/Accounts$", "times": None}
    office.world.fault("status", status=401, **always)
    asked = office.world.last_request()

    office.run_until_quiet()

    [refusal] = refusals_of(company.connection_id)
    assert refusal.refusals == 8
    assert refusal.refused_at - refusal.refused_since == LEAST_TIME
    assert len(refreshes(office, asked)) <= 2 * refusal.refusals
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT
    expect_nothing_sent(company, payment)
