"""Qonto refuses one run for calling too often: the others do not ask either, and every night is done later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.states import Lane, RunKind, RunState
from services.request_sync import request_sync
from tests.acceptance.world import Company, Office, read_log, spends

pytestmark = pytest.mark.acceptance


@pytest.fixture
def fleet(office: Office) -> list[Company]:
    """Organisations that have been connected for a day."""
    companies = [office.connected(f"C{number}") for number in range(4)]
    office.night()
    office.morning()
    return companies


def asked_of_qonto(office: Office, after: int) -> list[int]:
    """The statuses that Qonto answered with."""
    return [request.status for request in read_log(office.world, after) if request.path.startswith("/v2")]


def refuse_once(office: Office, retry_after: int | None) -> None:
    office.world.fault(
        "status", service="qonto", method="GET", path="/bank_accounts$", status=429, retry_after=retry_after
    )


@pytest.mark.parametrize(("retry_after", "seconds"), [(40, 40), (None, 10)], ids=["named", "unnamed"])
def test_nobody_asks_before_the_moment_that_qonto_named(
    office: Office, fleet: list[Company], retry_after: int | None, seconds: int
) -> None:
    sent = [company.moves(spends(100)) for company in fleet]
    office.at_23()
    before = office.world.last_request()
    refuse_once(office, retry_after)

    office.turn()
    office.restart()
    for company in fleet:
        request_sync(company.connection, Lane.INTERACTIVE, "ada", office.world.now)
    office.world.wait(seconds=seconds - 1)
    office.turn()

    assert asked_of_qonto(office, before) == [429]
    office.run_until_quiet()
    assert asked_of_qonto(office, before).count(429) == 1
    assert [company.state(moved) for company, [moved] in zip(fleet, sent, strict=True)] == ["posted"] * len(fleet)
    nights = [run for company in fleet for run in company.runs() if run.kind == RunKind.NIGHTLY]
    assert {run.state for run in nights} == {RunState.DONE}


def test_a_fleet_stays_within_what_qonto_allows_an_address(office: Office, fleet: list[Company]) -> None:
    """A thousand calls in ten seconds: what goes beyond is not asked, and waits its few seconds."""
    office.at_23()
    began = office.world.now
    office.world.settings(qonto_rate_limits=True)
    qonto = office.workbench.qonto(fleet[0].connection)
    for _ in range(960):
        qonto.body("/v2/organization")
    office.restart()
    before = office.world.last_request()

    office.run_until_quiet()

    office.world.settings(qonto_rate_limits=False)
    assert set(asked_of_qonto(office, before)) == {200}
    assert timedelta(0) < office.world.now - began <= timedelta(seconds=12)


def test_a_day_that_one_answer_asks_for_is_waited_by_its_run_alone(office: Office, fleet: list[Company]) -> None:
    sent = [company.moves(spends(100)) for company in fleet]
    office.at_23()
    refuse_once(office, 86_400)

    office.turn()
    office.world.wait(minutes=10)
    office.turn()

    states = sorted(company.state(moved) for company, [moved] in zip(fleet, sent, strict=True))
    assert states == ["posted", "posted", "posted", "unknown"]
    office.run_until_quiet()
