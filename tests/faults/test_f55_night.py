"""F55 to F57: the scheduler is there twice, not at all, or on a day of 23 or 25 hours."""

from __future__ import annotations

import signal

import pytest

from tests.acceptance.processes import at, in_qonto, in_xero, payments
from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import RUNS, begin, connected, moment_of, sends, until_state
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

ORGANISATIONS = 20
ROWS_AND_ORGANISATIONS = "SELECT count(*), count(DISTINCT organisation_id) FROM sync_run WHERE kind = 'nightly'"
ENDED = "SELECT count(*) FROM sync_run WHERE state = 'done'"
CLAIM = 60  # seconds for which a scheduler that is gone holds what it was about to publish
IN_LINE = 30  # seconds that a run waits for another one of its organisation
MOST_LATE = 5 * 60  # seconds from the scheduler's return to the first request


@pytest.mark.fault("F55", injected="two schedulers, both killed at 23:00:01 and started again", holds="I1 I2 I16 I22")
def test_two_schedulers_killed_at_the_moment_open_one_run_each(company: FaultyCompany, town: WorldClient) -> None:
    parties = [connected(company, town, rows=1, name=f"Bar {number}") for number in range(ORGANISATIONS)]
    first, second = (company.keep_running(f"scheduler {n}", "scheduler") for n in range(2))
    begin(company, town)
    company.until(lambda: company.query(ROWS_AND_ORGANISATIONS)[0][0] > 0, "the first run to be opened")
    for scheduler in (first, second):
        scheduler.signal(signal.SIGKILL)
    town.advance(CLAIM + 1)
    company.until_night_is_done(organisations=ORGANISATIONS)

    assert company.query(ROWS_AND_ORGANISATIONS) == [(ORGANISATIONS, ORGANISATIONS)]
    assert [len(sends(town, party)) for party in parties] == [1] * ORGANISATIONS
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]


@pytest.mark.fault("F56", injected="no scheduler from 22:50 to 01:10", holds="I1 I2 I22")
def test_a_night_that_nobody_opened_is_caught_up_at_once(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town)
    at(town, "2026-11-20T21:50:00Z")
    party.pay(*payments(1))
    at(town, "2026-11-21T00:10:00Z")
    began = town.control("GET", "/clock")["now"]
    company.keep_running("scheduler", "scheduler")
    company.keep_running("worker", "worker")
    company.until_night_is_done()

    assert company.query(RUNS, party.id) == [("nightly", "2026-11-20", "done")]
    (put,) = sends(town, party)
    assert (moment_of(put) - moment_of({"time": began})).total_seconds() < MOST_LATE
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault("F56", injected="no scheduler for three nights", holds="I1 I2 I11 I22")
def test_three_missed_nights_are_written_down_and_caught_up_by_one(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town)
    for day in (21, 22, 23):
        at(town, f"2026-11-{day}T12:00:00Z")
        party.pay(*payments(day))
    company.keep_running("scheduler", "scheduler")
    company.keep_running("worker", "worker")
    company.until(lambda: company.query(ENDED) != [(0,)], "the first of night and morning")
    town.advance(IN_LINE + 1)
    until_state(company, "done", party)

    nightly = [run[1:] for run in sorted(company.query(RUNS, party.id)) if run[0] == "nightly"]
    assert nightly == [("2026-11-20", "caught_up"), ("2026-11-21", "caught_up"), ("2026-11-22", "done")]
    assert sum(in_xero(party).values()) == 3 + 21 + 22 + 23
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault("F57", injected="a day of 25 hours, and one of 23", holds="I22")
@pytest.mark.parametrize(
    ("date", "moment", "next_date", "an_hour_off", "next_moment"),
    [
        pytest.param("2026-10-24", "21:00", "2026-10-25", "21:00", "22:00", id="25 hours"),
        pytest.param("2027-03-27", "22:00", "2027-03-28", "20:00", "21:00", id="23 hours"),
    ],
)
def test_the_night_falls_due_by_the_clock_on_the_wall(
    company: FaultyCompany,
    town: WorldClient,
    date: str,
    moment: str,
    next_date: str,
    an_hour_off: str,
    next_moment: str,
) -> None:
    at(town, f"{date}T18:00:00Z")
    party, witness = town.organisation(), town.organisation(name="Testigo SL")
    party.pay(*payments(1))
    company.connect_at_once(party, since=f"{date}T08:00:00Z")
    company.connect_at_once(witness, since=f"{date}T08:00:00Z", zone=_zone(an_hour_off))
    begin(company, town, moment=f"{date}T{moment}:00Z")
    company.until(lambda: (date, "done") in _nights(company, party.id), "the first night")
    party.pay(*payments(2))

    at(town, f"{next_date}T{an_hour_off}:00Z")
    company.until(lambda: (next_date, "done") in _nights(company, witness.id), "somebody else's 23:00, an hour before")
    assert next_date not in dict(_nights(company, party.id))
    at(town, f"{next_date}T{next_moment}:00Z")
    company.until(lambda: (next_date, "done") in _nights(company, party.id), "the second night")

    assert [night for night, _ in _nights(company, party.id)] == [date, next_date]
    assert in_xero(party) == in_qonto(party)


def _zone(moment: str) -> str:
    """Where no clock is ever changed, and that moment of UTC is 23:00."""
    return f"Etc/GMT-{23 - int(moment[:2])}"


def _nights(company: FaultyCompany, organisation: str) -> list[tuple[str, str]]:
    return [(date, state) for kind, date, state in company.query(RUNS, organisation) if kind == "nightly"]
