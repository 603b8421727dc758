"""A time zone that nobody knows makes one organisation late and loud, and nobody else."""

from __future__ import annotations

import pytest

from domain.reasons import Unfinished
from models.organisation import Organisation
from models.states import RunKind, RunState
from scheduler.fleet_metrics import show
from services.check import check_all
from services.check_fleet import check_fleet
from services.set_time_zone import set_time_zone
from services.view_integration import view_integration
from services.view_night import view_night
from services.view_nights import view_nights
from tests.acceptance import processes
from tests.acceptance.test_cli_mistakes import USAGE, told
from tests.acceptance.world import Company, Office, spends
from tests.sandbox.world_client import WorldClient
from web.operations.figures import Look
from web.operations.overview import facts

pytestmark = pytest.mark.acceptance

town_url, town = processes.town_url, processes.town
migrated_file, small_company = processes.migrated_file, processes.small_company

NOWHERE = "Mars/Olympus"


@pytest.fixture
def others(office: Office) -> Company:
    """An organisation that is like every other."""
    return office.established("Alpha")


@pytest.fixture
def lost(office: Office, others: Company) -> Company:
    """An organisation whose stored time zone has become unknown."""
    company = office.established("Beta")
    set_zone(company, NOWHERE)
    return company


def set_zone(company: Company, zone: str) -> None:
    Organisation.update(time_zone=zone).where(Organisation.id == company.id).execute()


def newest_night(company: Company) -> tuple[str, str]:
    night = [run for run in company.runs() if run.kind == RunKind.NIGHTLY][-1]
    return night.state, night.code


def test_the_night_of_the_others_is_done(office: Office, others: Company, lost: Company) -> None:
    [sent], [left] = others.moves(spends(100)), lost.moves(spends(200))
    office.night("UTC")

    assert newest_night(others) == (RunState.DONE, "")
    assert others.state(sent) == "posted"
    assert newest_night(lost) == (RunState.FAILED, Unfinished.TIME_ZONE)
    assert lost.rows(left) == []
    set_zone(lost, "Europe/Paris")
    office.night()
    assert lost.state(left) == "posted"


def test_it_is_named_and_told_and_everything_that_looks_at_all_works(
    office: Office, others: Company, lost: Company
) -> None:
    lost.moves(spends(200))
    office.night("UTC")
    now = office.world.now

    view = view_night(now)
    assert view.without_zone == [(str(lost.known["slug"]), NOWHERE)]
    assert [(one.state, one.code, one.count) for one in view.problems] == [("failed", Unfinished.TIME_ZONE, 1)]
    show(view)
    facts(Look(lambda: now).newest())
    [problem] = [event["data"] for event in lost.told("sync.problem")]
    assert [one["code"] for one in problem["problems"]] == [Unfinished.TIME_ZONE]
    assert others.told("sync.problem") == []
    assert all(line.holds for line in check_fleet(now))
    assert view_integration(lost.id, now) is not None
    assert view_nights(now.date())[-1].failed == 1
    assert {one.organisation: bool(one.problem) for one in check_all(office.workbench)} == {
        others.known["slug"]: False,
        lost.known["slug"]: True,
    }
    set_zone(lost, "Europe/Paris")
    office.night()


def test_a_person_can_still_leave(office: Office, lost: Company) -> None:
    office.disconnect(lost)

    assert lost.connection.state == "disconnected"
    office.companies.remove(lost)


@pytest.mark.parametrize("zone", ["localtime", NOWHERE, "Europe"])
def test_connecting_takes_no_other_zone(small_company: processes.Company, town: WorldClient, zone: str) -> None:
    party = town.organisation()
    told(small_company.connect(party, "--time-zone", zone), USAGE, "--time-zone", repr(zone))


def test_status_names_the_organisation_and_its_zone(small_company: processes.Company, town: WorldClient) -> None:
    party = town.organisation()
    assert small_company.connect(party).code == 0
    small_company.execute(f"UPDATE organisation SET time_zone = '{NOWHERE}'")

    ran = small_company.ask("status")

    assert ran.code == 0
    assert f"unknown time zone\t{party.known['slug']}: '{NOWHERE}' is not an IANA time zone" in ran.out
    for command in ("connections list", "runs", f"connections show {party.known['slug']}"):
        assert small_company.ask(*command.split()).code == 0
    ran = small_company.run("sync", party.known["slug"])
    assert (ran.code, NOWHERE in ran.out) == (1, True)


def test_another_time_zone_leaves_no_day_out(office: Office) -> None:
    """Auckland's night is over half a day before that of Paris; a payment of that half day is there the same day."""
    company = office.connect(office.company(), zone="Pacific/Auckland")
    office.night("Pacific/Auckland")
    set_time_zone(company.connection, "Europe/Paris", "ada", "we moved", office.world.now)
    company.zone = "Europe/Paris"
    [moved] = company.moves(spends(100))

    office.night("Europe/Paris")

    assert company.state(moved) == "posted"


def test_an_operator_sets_another_zone_and_the_audit_says_why(
    small_company: processes.Company, town: WorldClient
) -> None:
    party = town.organisation()
    assert small_company.connect(party).code == 0
    slug = party.known["slug"]

    ran = small_company.ask(
        "connections", "time-zone", slug, "Pacific/Auckland", "--why", "they moved", "--who", "ada", "--json"
    )

    (shown,) = ran.json
    assert (shown["time_zone"], shown["next_night"]) == ("Pacific/Auckland", "2026-11-21T23:00:00+13:00")
    audit = "SELECT who, reason FROM audit_entry WHERE action = 'organisation.time_zone'"
    assert small_company.query_file(audit) == [("ada", "Pacific/Auckland: they moved")]
    before = small_company.dump()
    told(small_company.ask("connections", "time-zone", slug, NOWHERE, "--why", "they moved"), USAGE, repr(NOWHERE))
    assert small_company.dump() == before
