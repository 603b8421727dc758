"""Xero says "not now": we wait exactly as long as it asks, and hold up nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.recovery import ON_THE_WIRE
from models.states import Lane
from services.request_sync import request_sync
from tests.acceptance.world import Office, spends

pytestmark = pytest.mark.acceptance

WAITS = {
    ("minute", 37): timedelta(seconds=37),
    ("minute", None): timedelta(seconds=60),
    ("day", 7200): timedelta(hours=2),
    ("concurrent", None): timedelta(seconds=5),
    ("appminute", None): timedelta(seconds=60),
}


@pytest.mark.parametrize(("problem", "retry_after"), WAITS)
def test_no_request_is_made_before_the_time_that_xero_named(
    office: Office, problem: str, retry_after: int | None
) -> None:
    company = office.established()
    company.moves(spends(100), spends(200))
    office.at_23()
    office.world.fault("status", status=429, problem=problem, retry_after=retry_after, when="before")
    office.turn()
    asked, refused_at = office.world.last_request(), office.world.now

    office.world.wait(seconds=WAITS[problem, retry_after].total_seconds() - 1)
    office.restart()
    office.turn()

    assert [request.service for request in company.requests(asked) if request.service == "xero"] == []
    office.run_until_quiet()
    refused, sent = company.postings_sent()
    assert (refused.status, refused.at) == (429, refused_at)
    assert (sent.status, sent.at) == (200, refused_at + max(WAITS[problem, retry_after], ON_THE_WIRE))


def test_a_minute_limit_costs_no_look_the_same_request_goes_out_again_under_its_key(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()
    office.world.fault("status", status=429, problem="minute", retry_after=60)

    office.run_until_quiet()

    refused, sent = company.postings_sent()
    assert (refused.key, refused.sha256) == (sent.key, sent.sha256)
    assert [request for request in company.requests(asked) if request.is_look] == []


def test_after_a_day_limit_the_key_is_forgotten_so_xero_is_looked_at_before_the_next_one(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()
    office.world.fault("status", status=429, problem="day", retry_after=3600)

    office.run_until_quiet()

    refused, sent = company.postings_sent()
    first, second = [request for request in company.requests(asked) if request.is_look]
    assert refused.id < first.id < second.id < sent.id
    assert refused.key != sent.key
    assert sent.at - refused.at == timedelta(hours=1)


def test_other_organisations_go_on_while_one_waits(office: Office) -> None:
    waiting, free = office.established("Waiting SL"), office.connected("Free SL")
    waiting.moves(spends(100))
    free.moves(spends(200))
    office.at_23()
    office.world.fault("status", status=429, retry_after=37, tenant=waiting.tenant, times=2)

    office.turn()

    assert free.states() == {"posted": 1}
    assert waiting.states() == {"uncertain": 1}
    office.run_until_quiet()


def test_a_night_larger_than_a_minute_allows_is_spread_over_minutes_without_one_refusal(office: Office) -> None:
    office.world.settings(minute_limit=8)
    company = office.established()
    company.moves(*(spends(100 + number) for number in range(260)))

    office.night()

    assert {request.status for request in company.requests()} == {200}
    assert company.states() == {"posted": 260}


def test_a_limit_at_qonto_makes_the_run_wait_and_xero_is_left_alone(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    office.world.fault("status", service="qonto", method="GET", path="/transactions$", status=429, retry_after=20)
    start = office.world.now

    office.run_until_quiet()

    assert [request.at - start for request in company.postings_sent()] == [timedelta(seconds=20)]


def test_a_person_who_asks_for_a_sync_meanwhile_waits_too(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    office.world.fault("status", status=429, problem="day", retry_after=3600)
    office.turn()
    asked = office.world.last_request()

    office.world.wait(minutes=10)
    office.restart()
    request_sync(company.connection, Lane.INTERACTIVE, "ada", office.world.now)
    office.turn()

    assert company.requests(asked) == []
    office.run_until_quiet()
    assert company.states() == {"posted": 1}
