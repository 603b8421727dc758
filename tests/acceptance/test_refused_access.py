"""Not being let in: one answer ends nothing, hours of them end one connection, and many at once end none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.access import BRAKE_WINDOW, HELD_TRIES, LEAST_REFUSALS, LEAST_TIME, final_at
from domain.reasons import Broken, Unfinished, Waits, sentence
from models import audit
from models.access_refusal import held_back, refusals_of
from models.states import ConnectionState, Lane
from models.sync_run import SyncRun
from services.judge_refusal import end_held_back
from services.request_sync import request_sync
from services.view_connections import view_connection
from services.view_integration import may_connect, view_integration
from services.view_night import view_night
from tests.acceptance.world import Company, Office, read_log, spends

pytestmark = pytest.mark.acceptance

HTML = "<html><head><title>Access Denied</title></head><body>Reference #18.abc</body></html>"
MINUTE = timedelta(minutes=1)
QONTO, XERO = {"service": "qonto", "method": "GET"}, {"service": "xero", "method": "GET"}
TWICE = {"times": 2}  # the second time under a fresh token
ONE_REFUSAL: list[dict[str, Any]] = [
    {**QONTO, "path": "/bank_accounts$", "status": 401},
    {**QONTO, "path": "/bank_accounts$", "status": 403},
    {**QONTO, "path": "/bank_accounts$", "status": 403, "text": HTML},
    {**QONTO, "path": "/transactions$", "status": 401},
    {**QONTO, "path": "/transactions$", "status": 403, "text": HTML},
    {**XERO, "path": "/Accounts$", "status": 401, **TWICE},
    {**XERO, "path": "/Accounts$", "status": 403},
    {**XERO, "path": "/Accounts$", "status": 403, "text": HTML},
    {**XERO, "method": "PUT", "path": "/Accounts$", "status": 403},
    {**XERO, "method": "PUT", "path": "/BankTransactions$", "status": 401, **TWICE},
    {**XERO, "method": "PUT", "path": "/BankTransactions$", "status": 403},
    {**XERO, "method": "PUT", "path": "/BankTransactions$", "status": 403, "text": HTML},
]


def night_of(company: Company) -> SyncRun:
    return [run for run in company.runs() if run.kind == "nightly"][-1]


def audited(company: Company) -> list[str]:
    rows = audit.AuditEntry.select().where(audit.AuditEntry.subject == company.connection_id)
    return [row.action for row in rows if row.action in {"connection.needs_reconnect", "connection.healed"}]


@pytest.mark.parametrize("refusal", ONE_REFUSAL)
def test_one_refusal_at_any_call_of_a_night_ends_nothing_and_the_night_is_done_within_minutes(
    office: Office, refusal: dict[str, Any]
) -> None:
    company = office.connect(office.company())
    company.moves(spends(100))
    office.at_23()
    struck_at = office.world.now
    office.world.fault("status", **refusal)

    office.run_until_quiet()

    assert company.connection.state == ConnectionState.LIVE
    assert night_of(company).state == "done"
    assert company.states() == {"posted": 1}
    assert office.world.now - struck_at < 10 * MINUTE
    assert refusals_of(company.connection_id) == []
    assert "connection.broken" not in company.told_types()


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        ({"service": "qonto", "status": 401, "path": "/bank_accounts$"}, Broken.QONTO),
        ({"service": "qonto", "status": 403, "path": "/bank_accounts$"}, Broken.QONTO),
        ({"service": "xero", "status": 401, "path": "/Accounts$"}, Broken.XERO),
        ({"service": "xero", "status": 403, "path": "/Accounts$"}, Broken.XERO),
        ({"service": "xero", "status": 403, "path": "/Accounts$", "text": HTML}, Broken.XERO),
    ],
)
def test_a_refusal_that_lasts_for_hours_needs_a_person_and_is_told_once(
    office: Office, refusal: dict[str, Any], told: Broken
) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.at_23()
    office.world.fault("status", method="GET", times=None, **refusal)

    office.turn()

    assert (night_of(company).state, night_of(company).code) == ("waiting", Waits.REFUSED)
    assert company.connection.state == ConnectionState.LIVE
    [refused] = refusals_of(company.connection_id)
    assert (refused.refusals, refused.refused_since) == (1, office.world.now)

    office.run_until_quiet()

    [refused] = refusals_of(company.connection_id)
    assert refused.refusals >= LEAST_REFUSALS
    assert refused.refused_at - refused.refused_since >= LEAST_TIME
    assert (night_of(company).state, night_of(company).code) == ("failed", told)
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT
    assert [event["data"]["code"] for event in company.told("connection.broken")] == [told]
    assert audited(company) == ["connection.needs_reconnect"]
    company.missing[payment] = company.state(payment)


def test_a_success_in_between_begins_the_count_anew(office: Office) -> None:
    company = office.established()
    office.at_23()
    office.world.fault("status", service="qonto", method="GET", path="/bank_accounts$", status=401, times=3)
    office.run_until_quiet()
    assert night_of(company).state == "done"

    office.world.fault("status", service="qonto", method="GET", path="/bank_accounts$", status=401, times=3)
    office.world.wait(hours=7)
    office.sync_now(company)

    assert company.connection.state == ConnectionState.LIVE


def test_however_often_a_person_asks_within_an_hour_nothing_ends(office: Office) -> None:
    company = office.established()
    office.world.fault("status", service="qonto", method="GET", path="/bank_accounts$", status=401, times=10)
    for _ in range(10):
        request_sync(company.connection, Lane.INTERACTIVE, "ada", office.world.now)
        office.turn()
        SyncRun.update(wake_at=office.world.now).where(SyncRun.kind == "manual").execute()

    assert company.connection.state == ConnectionState.LIVE
    office.run_until_quiet()
    assert company.connection.state == ConnectionState.LIVE


def test_what_xero_answers_about_one_organisation_is_believed_only_with_xeros_list(office: Office) -> None:
    company, gone = office.established("Stays"), office.established("Goes")
    gone.in_xero("disconnect")
    office.at_23()
    office.world.fault("status", method="GET", path="/Accounts$", status=403, tenant=company.tenant)

    office.turn()

    assert gone.connection.state == ConnectionState.NEEDS_RECONNECT
    assert company.connection.state == ConnectionState.LIVE
    office.run_until_quiet()
    assert night_of(company).state == "done"


@pytest.mark.parametrize("status", [401, 403, 500])
def test_when_xeros_list_cannot_be_read_either_nothing_ends_at_once(office: Office, status: int) -> None:
    company = office.established()
    company.in_xero("disconnect")
    office.at_23()
    office.world.fault("status", method="GET", path="/connections$", status=status, times=2)

    office.turn()
    assert company.connection.state == ConnectionState.LIVE

    office.run_until_quiet()
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT


# The fleet brake.

TOKENS: dict[str, Any] = {"service": "identity", "method": "POST", "path": "/token$"}
DEAD = {**TOKENS, "status": 400, "text": '{"error": "invalid_grant"}'}


@pytest.fixture
def fleet(office: Office) -> list[Company]:
    """Six customers, each with a payment to be sent, at 23:00."""
    companies = [office.connected(f"Company {number}") for number in range(6)]
    for company in companies:
        company.moves(spends(100))
    office.at_23()
    return companies


def states_of(companies: list[Company]) -> list[str]:
    return [str(company.connection.state) for company in companies]


def go_on(office: Office) -> None:
    """Until the first open run is due, and what it does then."""
    office.world.move_to(max(office.world.now, office.next_wake()))
    office.turn()


def test_when_many_would_end_within_ten_minutes_none_does_and_all_go_on_by_themselves(
    office: Office, fleet: list[Company]
) -> None:
    office.world.fault("status", times=None, **DEAD)
    began_at = office.world.now

    office.turn()
    for _ in range(12):
        go_on(office)
        assert states_of(fleet) == ["live"] * 6

    assert office.world.now - began_at > BRAKE_WINDOW + HELD_TRIES
    assert [count for company in fleet for count in company.told("connection.broken")] == []
    office.world.end_faults()
    office.run_until_quiet()
    assert [company.states() for company in fleet] == [{"posted": 1}] * 6
    assert [refusals_of(company.connection_id) for company in fleet] == [[]] * 6


def test_a_run_that_is_held_back_for_too_long_ends_and_its_connection_still_does_not(
    office: Office, fleet: list[Company]
) -> None:
    office.world.fault("status", times=None, **DEAD)

    office.run_until_quiet()

    assert [night_of(company).code for company in fleet] == [Unfinished.REFUSED] * 6
    assert states_of(fleet) == ["live"] * 6
    problems = [event["data"]["problems"] for company in fleet for event in company.told("sync.problem")]
    assert [[problem["code"] for problem in told] for told in problems] == [[Unfinished.REFUSED]] * 6
    office.world.end_faults()
    office.night()
    assert [company.states() for company in fleet] == [{"posted": 1}] * 6


def test_those_held_back_end_once_so_few_are_left_that_the_brake_is_off(office: Office, fleet: list[Company]) -> None:
    for company in fleet:
        company.in_xero("disconnect")
    office.turn()
    for _ in range(6):
        go_on(office)
    assert states_of(fleet) == ["live"] * 6

    for company in fleet[2:]:
        company.in_xero("authorize")
    office.run_until_quiet()

    assert states_of(fleet) == ["needs_reconnect"] * 2 + ["live"] * 4
    for company in fleet[:2]:
        company.missing |= {key: company.state(key) for key in company.truth()}


def test_a_few_that_leave_at_once_are_watched_for_ten_minutes_and_then_end(
    office: Office, fleet: list[Company]
) -> None:
    leaving = fleet[:4]
    for company in leaving:
        company.in_xero("revoke")
    struck_at = office.world.now

    office.turn()
    assert states_of(leaving) == ["live"] * 4
    office.run_until_quiet()

    assert states_of(fleet) == ["needs_reconnect"] * 4 + ["live"] * 2
    assert office.world.now - struck_at == BRAKE_WINDOW
    for company in leaving:
        company.missing |= {key: company.state(key) for key in company.truth()}


def test_the_brake_does_not_add_up_what_happens_on_different_days(office: Office, fleet: list[Company]) -> None:
    for leaving in (fleet[:3], fleet[3:]):
        for company in leaving:
            company.in_xero("revoke")
        office.night()

    assert states_of(fleet) == ["needs_reconnect"] * 6
    for company in fleet:
        company.missing |= {key: company.state(key) for key in company.truth() if company.state(key) != "posted"}


# Probes.


def test_a_broken_connection_is_tried_once_a_day_and_heals_by_itself(office: Office) -> None:
    company = office.established()
    company.in_xero("disconnect")
    company.moves(spends(100))
    office.night()
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT
    for _ in range(2):
        asked = office.world.last_request()
        office.night()
        paths = [request.path for request in read_log(office.world, asked)]
        assert len([path for path in paths if path.endswith("/connections")]) == 1
        assert len(paths) <= 3

    company.in_xero("authorize")
    company.moves(spends(200))
    office.night()
    office.run_until_quiet()

    assert company.connection.state == ConnectionState.LIVE
    assert company.connection.reason == ""
    assert company.states() == {"posted": 2}
    assert audited(company) == ["connection.needs_reconnect", "connection.healed"]
    assert company.told_types().count("connection.broken") == 1
    assert company.told("connection.created")[-1]["data"]["reconnected"] is True
    assert [run.state for run in company.runs() if run.kind == "probe"] == ["failed", "failed", "done"]
    office.morning()
    assert [run.kind for run in company.runs()].count("probe") == 3


def test_a_connection_that_qonto_refused_for_hours_heals_too(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    office.world.fault("status", service="qonto", method="GET", path=".*", status=403, times=None)
    office.run_until_quiet()
    assert company.connection.state == ConnectionState.NEEDS_RECONNECT

    office.world.end_faults()
    office.night()
    office.run_until_quiet()

    assert company.connection.state == ConnectionState.LIVE
    assert company.states() == {"posted": 1}


def test_a_probe_that_meets_an_outage_ends_nothing_and_heals_nothing(office: Office) -> None:
    company = office.established()
    company.in_xero("disconnect")
    office.night()
    company.in_xero("authorize")
    office.world.fault("status", service="xero", method="GET", path="/connections$", status=503, times=2)

    office.night()

    assert company.connection.state == ConnectionState.LIVE


# A refusal that is not about access.


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        ({"service": "qonto", "path": "/bank_accounts$", "status": 400}, Unfinished.QONTO_UNUSABLE),
        ({"service": "xero", "path": "/Accounts$", "status": 400}, Unfinished.XERO_UNUSABLE),
        ({"service": "xero", "path": "/Accounts$", "status": 404}, Unfinished.XERO_UNUSABLE),
    ],
)
def test_a_refusal_that_stays_the_same_is_asked_twice_and_not_for_hours(
    office: Office, refusal: dict[str, Any], code: Unfinished
) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    struck_at = office.world.now
    office.world.fault("status", method="GET", times=None, **refusal)

    office.turn()
    assert (night_of(company).state, night_of(company).code) == ("waiting", Waits.UNUSABLE)
    office.run_until_quiet()

    assert (night_of(company).state, night_of(company).code, night_of(company).turns) == ("failed", code, 2)
    assert MINUTE <= office.world.now - struck_at <= 10 * MINUTE
    assert [event["data"]["problems"][0]["code"] for event in company.told("sync.problem")] == [code]
    assert company.connection.state == ConnectionState.LIVE
    office.world.end_faults()
    office.night()
    assert company.states() == {"posted": 1}


@pytest.mark.parametrize("status", [400, 404, 410, 422])
@pytest.mark.parametrize("service", ["qonto", "xero"])
def test_a_refusal_that_comes_once_costs_minutes(office: Office, service: str, status: int) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    office.world.fault("status", service=service, method="GET", path="ccounts$", status=status)

    office.run_until_quiet()

    assert night_of(company).state == "done"
    assert company.states() == {"posted": 1}


# What people see, and may do.


def test_a_live_connection_says_who_refuses_it_and_until_when_we_keep_trying(office: Office) -> None:
    company = office.established()
    office.at_23()
    office.world.fault("status", service="qonto", method="GET", path="/bank_accounts$", status=401)
    office.turn()

    reason = view_connection(company.connection).reason
    assert "Qonto API key" in reason
    assert "refused once since" in reason
    assert f"until {final_at(office.world.now):%Y-%m-%d %H:%M} UTC" in reason
    page = view_integration(company.id, office.world.now)
    assert page is not None
    assert [problem.sentence for problem in page.problems] == [sentence(Waits.REFUSED)]
    view = view_night(office.world.now)
    assert (view.refused.connections, view.refused.held_back) == (1, 0)
    office.run_until_quiet()
    assert view_connection(company.connection).reason == ""
    assert view_night(office.world.now).refused.connections == 0


def test_an_operator_lets_those_be_asked_whom_the_brake_holds_and_no_other(
    office: Office, fleet: list[Company]
) -> None:
    leaving, waiting, struck_at = fleet[:5], fleet[5], office.world.now
    for company in leaving:
        company.in_xero("disconnect")
    office.world.fault(
        "status", service="qonto", method="GET", path="/bank_accounts$", status=401, times=None, tenant=waiting.id
    )
    office.turn()
    while office.world.now < struck_at + BRAKE_WINDOW:
        go_on(office)
    assert states_of(fleet) == ["live"] * 6
    view = view_night(office.world.now)
    assert (view.refused.connections, view.refused.held_back) == (6, 5)
    assert "fleet brake" in view_connection(leaving[0].connection).reason

    refusals = held_back(office.world.now)
    assert end_held_back(refusals, "grace", "they left", office.world.now) == 5
    assert end_held_back(refusals, "grace", "they left", office.world.now) == 0

    assert states_of(fleet) == ["needs_reconnect"] * 5 + ["live"]
    for company in leaving:
        assert [event["data"]["code"] for event in company.told("connection.broken")] == [Broken.XERO]
        assert audit.who_did("connection.needs_reconnect", company.connection_id) == "grace"
        assert may_connect(company.id)
        company.missing |= {key: company.state(key) for key in company.truth()}
    office.world.end_faults()
    office.run_until_quiet()
    assert waiting.states() == {"posted": 1}
