"""F5 to F7: a worker killed with a request on its way. Whenever we come back, each transaction is there once."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from domain.recovery import ON_THE_WIRE
from models.lease import LEASE
from tests.acceptance.processes import NIGHT, PUTS, at, in_qonto, in_xero, puts
from tests.faults.rig import Aftermath, Failpoints, FaultyCompany, night_of
from tests.sandbox.world_client import Party, WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

MINUTE = 60
DAY = 24 * 60 * MINUTE
AGAIN, BY_LOOKING = "sent again", "looked in Xero"
UNSURE = "SELECT state, count(*) FROM posting_batch GROUP BY state"
BETWEEN = "SELECT count(*) FROM sync_run WHERE state = 'waiting' AND turns > 1"
WHENEVER = pytest.mark.parametrize(
    ("later", "how"),
    [
        pytest.param(0, AGAIN, id="at once"),
        pytest.param(4 * MINUTE, AGAIN, id="after 4 minutes"),
        pytest.param(6 * MINUTE, BY_LOOKING, id="after 6 minutes"),
        pytest.param(8 * MINUTE, BY_LOOKING, id="after 8 minutes"),
        pytest.param(DAY, BY_LOOKING, id="after 24 hours"),
    ],
)


@pytest.mark.fault("F5", injected="kill -9 with requests on the wire; Xero works on them afterwards", holds="I1 I2 I9")
def test_killed_before_xero_began(company: FaultyCompany, town: WorldClient) -> None:
    parties = night_of(company, town, 60, 40)
    held = town.fault("hold", match=PUTS, when="before", times=3)
    company.start("scheduler")
    worker = company.start("worker")
    at(town, NIGHT)
    town.wait_until_held(held, 3)
    assert all(not in_xero(party) for party in parties)

    worker.end(signal.SIGKILL)
    town.control("POST", f"/faults/{held}/release")
    town.wait_until(lambda: [in_xero(party) for party in parties] == [in_qonto(party) for party in parties])
    town.advance(LEASE.total_seconds())
    company.start("worker")
    company.until_night_is_done(organisations=2)

    assert set(Counter(put["key"] for put in puts(town)).values()) == {2}, "each request was sent once more"
    assert {put["status"] for put in puts(town)} == {200}


@WHENEVER
@pytest.mark.fault(
    "F6", injected="kill -9 after Xero's commit, before the answer; +0, 4, 6, 8 min, 24 h", holds="I1 I2 I9 I10"
)
def test_killed_before_the_answer_came(
    company: FaultyCompany, town: WorldClient, aftermath: Aftermath, later: int, how: str
) -> None:
    parties = night_of(company, town, 60, 40)
    held = town.fault("hold", match=PUTS, when="after", times=3)
    company.start("scheduler")
    worker = company.start("worker")
    at(town, NIGHT)
    town.wait_until_held(held, 3)
    worker.end(signal.SIGKILL)
    town.control("POST", f"/faults/{held}/release")
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]

    come_back(company, town, aftermath, later, parties)

    assert_found(company, town, parties, how, requests=3)


@WHENEVER
@pytest.mark.fault(
    "F7", injected="kill -9 after the answer, before the outcome; +0, 4, 6, 8 min, 24 h", holds="I1 I2 I9 I10"
)
def test_killed_with_the_answer_in_its_hand(
    company: FaultyCompany,
    town: WorldClient,
    failpoints: Failpoints,
    aftermath: Aftermath,
    later: int,
    how: str,
) -> None:
    parties = night_of(company, town, 40)
    failpoints.arm("answered", "kill")
    company.start("scheduler")
    worker = company.start("worker")
    at(town, NIGHT)
    company.until_ended(worker)
    assert company.query(UNSURE) == [("sending", 1)]
    assert in_xero(parties[0]) == in_qonto(parties[0])

    come_back(company, town, aftermath, later, parties)

    assert_found(company, town, parties, how, requests=1)


def come_back(
    company: FaultyCompany, town: WorldClient, aftermath: Aftermath, later: int, parties: list[Party]
) -> None:
    """Start a worker so much later, but not before the dead one's lease has run out."""
    sent = len(puts(town))
    town.advance(max(later, LEASE.total_seconds()))
    company.start("worker")
    if later == 6 * MINUTE:  # from five to seven nobody sends these requests or concludes anything about them
        company.until(lambda: company.query(BETWEEN) == [(len(parties),)], "the runs to wait for certainty")
        assert company.query(UNSURE) == [("uncertain", sent)]
        assert len(puts(town)) == sent
        town.advance(MINUTE + ON_THE_WIRE.total_seconds())
    if later == DAY:  # other runs have fallen due meanwhile, and an organisation's runs wait for each other
        aftermath.until_quiet()
    company.until_night_is_done(organisations=len(parties))


def assert_found(company: FaultyCompany, town: WorldClient, parties: list[Party], how: str, *, requests: int) -> None:
    """Every request had effect once: repeated under its key, or found by a look."""
    keys = Counter(put["key"] for put in puts(town))
    assert len(keys) == requests
    assert set(keys.values()) == {2 if how == AGAIN else 1}
    assert company.query(UNSURE) == [("resolved", requests)]
    for party in parties:
        (story,) = company.ask("explain", next(iter(in_qonto(party))), "--json").json
        assert any(how in step["what"] for step in story["steps"])
