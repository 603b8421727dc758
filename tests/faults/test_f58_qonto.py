"""F58 to F60: Qonto's pages move while they are read, Qonto fails, a row comes late, a person replays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.acceptance.processes import PUTS, in_qonto, in_xero, payments
from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import (
    MINUTE,
    QONTO_LISTS,
    begin,
    connected,
    live_until,
    moment_of,
    nightly_state,
    sends,
    until_state,
)
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

AT_ONE_MOMENT = "2026-11-20T12:00:00.000Z"
SPREAD, TOGETHER = 120, 150
NEXT_DATE = "2026-11-21"


@pytest.mark.fault("F58", injected="150 rows of one updated_at, and rows edited between two pages", holds="I1 I2 I11")
def test_pages_that_move_while_they_are_read_hide_no_row(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town, rows=0)
    spread = [row | _at(f"2026-11-20T11:{n // 60:02d}:{n % 60:02d}.000Z") for n, row in enumerate(payments(SPREAD))]
    together = [row | _at(AT_ONE_MOMENT) for row in payments(TOGETHER)]
    made = party.pay(*spread, *together)
    held = [town.fault("hold", match=QONTO_LISTS, skip=skip) for skip in (1, 2)]
    begin(company, town)
    for fault, read in zip(held, (0, SPREAD), strict=True):
        town.wait_until_held(fault)
        for row in made[read : read + 30]:
            town.control("POST", f"/qonto/{party.id}/transactions/{row['id']}", {"note": "edited in mid-scan"})
        town.control("POST", f"/faults/{fault}/release")
    company.until_night_is_done()

    assert sum(in_xero(party).values()) == SPREAD + TOGETHER
    assert in_xero(party) == in_qonto(party)


def _at(moment: str) -> dict[str, str]:
    return {"settled_at": moment, "updated_at": moment}


@pytest.mark.fault("F59", injected="Qonto answers 429, 503, 401, and not at all", holds="I1 I2 I14")
def test_each_failure_of_qonto_has_its_own_wait_and_loses_nothing(company: FaultyCompany, town: WorldClient) -> None:
    limited, failing, silent, refused = (connected(company, town, name=name) for name in ("429", "503", "drop", "401"))
    town.fault("status", match=QONTO_LISTS | {"tenant": limited.id}, status=429, retry_after=20)
    town.fault("status", match=QONTO_LISTS | {"tenant": failing.id}, status=503, times=2)
    town.fault("drop", match=QONTO_LISTS | {"tenant": silent.id})
    town.fault("status", match=QONTO_LISTS | {"tenant": refused.id}, status=401)
    begin(company, town)
    until_state(company, "waiting", limited, failing, silent, refused)
    assert not any(in_xero(party) for party in (limited, failing, silent, refused))

    town.advance(20)
    until_state(company, "done", limited)
    assert [nightly_state(company, party) for party in (failing, silent)] == ["waiting", "waiting"]
    town.advance(MINUTE)
    until_state(company, "done", silent)
    until_state(company, "waiting", failing)
    town.advance(2 * MINUTE)
    until_state(company, "done", failing, refused)

    listed = town.requests_made(f"service=qonto&path=/transactions$&tenant={limited.id}")
    assert moment_of(listed[1]) - moment_of(listed[0]) >= timedelta(seconds=20)
    parties = (limited, failing, silent, refused)
    assert [in_xero(party) for party in parties] == [in_qonto(party) for party in parties]


@pytest.mark.fault("F59", injected="a row that settled yesterday and is listed only after the night", holds="I1 I2 I11")
def test_a_late_row_behind_the_cursor_is_found_the_next_night(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town)
    begin(company, town)
    company.until_night_is_done()
    ((cursor,),) = company.query("SELECT read_until::text FROM cursor")
    late = {"amount_cents": 9_99, "settled_at": "2026-11-20T19:30:00Z", "updated_at": "2026-11-20T19:30:00Z"}
    party.pay(late)
    assert cursor > "2026-11-20 19:30"

    live_until(company, town, NEXT_DATE)

    assert len(sends(town, party)) == 2
    assert sum(in_xero(party).values()) == 4
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault(
    "F60",
    injected="syncs and replays from the command line, twice while the night sends, and twice after it",
    holds="I1 I12 I21",
)
def test_a_replay_writes_nothing_that_is_there(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town, rows=60)
    slug = party.known["slug"]
    held = town.fault("hold", match=PUTS)
    begin(company, town)
    town.wait_until_held(held)
    people = [company.start("sync", slug) for _ in range(2)]
    company.until(lambda: company.query("SELECT count(*) FROM sync_run WHERE kind = 'manual'") == [(1,)], "their run")
    assert [_replayed(company, slug) for _ in range(2)] == [0, 0]
    town.control("POST", f"/faults/{held}/release")
    company.until_night_is_done()
    for person in people:
        company.until_ended(person)
    town.advance(31)
    company.until(
        lambda: company.query("SELECT DISTINCT state FROM sync_run") == [("done",)], "the run that they asked for"
    )
    for _ in range(2):
        assert company.run("sync", slug).code == 0
        assert _replayed(company, slug) == 1
        company.until_night_is_done()

    assert len(sends(town, party)) == 2
    assert in_xero(party) == in_qonto(party)
    assert company.query("SELECT kind, posted FROM sync_run ORDER BY kind") == [("manual", 0), ("nightly", 60)]


def _replayed(company: FaultyCompany, slug: str) -> int:
    """How many nights a person had done once more; one that is under way does that itself."""
    ran = company.ask("replay", "organisation", slug, "--why", "to be sure", "--json")
    assert ran.code == 0, ran.err
    return int(ran.json["done"])
