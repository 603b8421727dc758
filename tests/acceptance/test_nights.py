"""23:00 on each organisation's own clock, every night, also when nights were missed or came twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from models.chosen import runs_numbered
from models.database import connected
from models.outbox import OutboxMessage
from models.sync_run import SyncRun
from scheduler.tick import tick
from services.replay import Person, replay, runs_once_more
from tests.acceptance.world import NIGHT, PARIS, Company, Office, read_log, spends

pytestmark = pytest.mark.acceptance

AUCKLAND, NEW_YORK = "Pacific/Auckland", "America/New_York"


def nightly(company: Company) -> list[SyncRun]:
    return [run for run in company.runs() if run.kind == "nightly"]


def test_three_missed_nights_are_caught_up_by_one_run_and_written_down_as_such(office: Office) -> None:
    company = office.connected()
    office.night()
    for cents in (100, 200, 300):
        office.world.wait(hours=24)
        company.moves(spends(cents))
    office.world.wait(hours=12)

    office.run_until_quiet()

    runs = sorted(nightly(company), key=lambda run: run.local_date)
    assert [run.state for run in runs] == ["done", "caught_up", "caught_up", "done"]
    assert [run.local_date - runs[0].local_date for run in runs] == [timedelta(days=days) for days in range(4)]
    assert company.states() == {"posted": 3}
    assert len(company.postings_sent()) == 1


def test_an_organisation_is_synced_when_it_strikes_eleven_where_it_is(office: Office) -> None:
    zones = {PARIS: "Paris", AUCKLAND: "Auckland", NEW_YORK: "New York"}
    companies = {zone: office.connect(office.company(name), zone=zone) for zone, name in zones.items()}
    for company in companies.values():
        company.moves(spends(100))
    due = {zone: office.world.next(NIGHT, zone) for zone in zones}
    for zone in sorted(due, key=lambda zone: due[zone]):
        office.world.move_to(due[zone] - timedelta(seconds=1))
        office.run_until_quiet()
        assert nightly(companies[zone]) == []
        office.world.move_to(due[zone])
        office.run_until_quiet()
        assert companies[zone].states() == {"posted": 1}
    assert len(set(due.values())) == 3


@pytest.mark.parametrize("hours", [23, 25])
def test_a_day_on_which_the_clocks_change_has_one_night_like_any_other(office: Office, hours: int) -> None:
    office.world.move_to(office.world.before_a_day_of(hours))
    company = office.connected()
    office.night()
    before = office.world.now
    company.moves(spends(100))

    office.night()

    assert office.world.now - before == timedelta(hours=hours)
    first, second = nightly(company)
    assert second.local_date - first.local_date == timedelta(days=1)
    assert (second.state, second.posted) == ("done", 1)
    office.world.wait(hours=1)
    assert tick(office.world.now).opened == 0


def test_a_connection_made_after_eleven_waits_for_the_next_night(office: Office) -> None:
    office.world.move_to(office.world.next(NIGHT) + timedelta(minutes=1))
    company = office.connected()
    company.moves(spends(100))

    office.run_until_quiet()
    assert company.runs() == []
    office.night()

    assert company.states() == {"posted": 1}


def test_two_schedulers_at_once_open_one_run_and_wake_it_once(office: Office) -> None:
    companies = [office.connected(f"Company {number}") for number in range(3)]
    office.at_23()
    barrier = Barrier(2)

    def a_scheduler() -> tuple[int, int]:
        with connected():
            barrier.wait(30)
            ticked = tick(office.world.now)
            return ticked.opened, ticked.woken

    with ThreadPoolExecutor(2) as threads:
        ticks = [turn.result() for turn in [threads.submit(a_scheduler) for _ in range(2)]]

    assert sum(opened for opened, _ in ticks) == 3
    assert OutboxMessage.select().count() == 3
    office.run_until_quiet()
    assert [len(nightly(company)) for company in companies] == [1, 1, 1]


def test_a_night_that_is_run_twice_or_whose_message_comes_twice_writes_nothing_more(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100), spends(200))
    office.night()
    [run] = nightly(company)
    sent = len(company.postings_sent())

    office.work(run.id)
    office.work(run.id)
    list(replay(runs_once_more(runs_numbered([run.id])), Person("ada", "to be sure"), office.world.now))
    office.run_until_quiet()
    office.sync_now(company)
    office.sync_now(company)

    assert len(company.postings_sent()) == sent == 1
    assert len(company.bank_accounts()) == 1


def test_a_scheduler_that_ticks_all_night_asks_for_nothing_once_all_is_done(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.night()
    asked = office.world.last_request()

    for _ in range(5):
        office.world.wait(minutes=30)
        office.turn()

    assert read_log(office.world, asked) == []


def test_losing_every_message_loses_no_work(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100))
    office.at_23()
    tick(office.world.now)
    OutboxMessage.delete().execute()

    office.turn()
    assert company.states() == {}
    office.world.wait(minutes=5)
    office.turn()

    assert company.states() == {"posted": 1}


def test_qonto_or_xero_away_for_half_an_hour_makes_the_night_late_and_nothing_else(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    office.world.fault("status", status=503, service="qonto", method="GET", path="/bank_accounts$", times=2)
    office.world.fault("status", status=503, method="GET", path="/Accounts$", times=2)

    office.run_until_quiet()

    assert company.states() == {"posted": 1}
    assert [run.state for run in nightly(company)] == ["done", "done"]
