"""F41 and F42: Xero answers, and the answer is partly a refusal, or nothing that anybody could read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.acceptance.processes import PUTS, in_qonto, in_xero
from tests.faults.meddler import Spoilt, between, without_contact
from tests.faults.rig import Aftermath, FaultyCompany
from tests.faults.xero_side import QUIET_AFTER_SEND, begin, connected, live_until, sends, states_of, until_state
from tests.sandbox.world_client import WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]

NIGHTS = ("2026-11-21", "2026-11-22")
REFUSED = 3
MOST_MEMORY_KB = 300 * 1024


@pytest.mark.fault("F41", injected="Xero refuses 3 of 50, three nights in a row", holds="I1 I2")
def test_three_refused_of_fifty_hold_no_other_and_end_with_a_reason(
    company: FaultyCompany, town: WorldClient, aftermath: Aftermath
) -> None:
    party = connected(company, town, rows=50)
    refused = sorted(in_qonto(party))[:REFUSED]
    aftermath.missing = dict.fromkeys(refused, "rejected: refused_by_xero")
    with between(company, town) as meddler:
        meddler.asks[party.tenant] = without_contact(set(refused))
        begin(company, town)
        company.until_night_is_done()
        assert states_of(company, party) == {"posted": 47, "held: refused_for_now": 3}
        for night in NIGHTS:
            live_until(company, town, night)

    assert states_of(company, party) == {"posted": 47, "rejected: refused_by_xero": 3}
    assert [put["body"].count('"Url"') for put in sends(town, party)] == [50, 3, 3]
    assert in_xero(party) == in_qonto(party) - Counter(refused)
    (story,) = company.run("explain", refused[0], "--json").json
    assert "Contact" in story["detail"]


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Another server, and what was asked of it."""
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def do_GET(self) -> None:
            self.do_PUT()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/elsewhere", asked
        server.shutdown()


@pytest.mark.fault(
    "F42",
    injected="garbage, a cut body, 50 MB, a wrong charset, 308 to another host, all after the commit",
    holds="I1 I2 I9",
)
def test_an_answer_that_nobody_can_read_is_uncertain_and_costs_no_memory(
    company: FaultyCompany, town: WorldClient, elsewhere: tuple[str, list[str]]
) -> None:
    place, asked_elsewhere = elsewhere
    parties = {name: connected(company, town, name=name) for name in ("garbage", "cut", "huge", "utf16", "308")}
    with between(company, town) as meddler:
        for name in ("garbage", "huge"):
            town.fault(name, match=PUTS | {"tenant": parties[name].tenant}, when="after")
        meddler.answers[parties["cut"].tenant] = lambda told: replace(told, lacking=20)
        meddler.answers[parties["utf16"].tenant] = _in_utf16
        meddler.answers[parties["308"].tenant] = lambda told: Spoilt(308, {"Location": place}, told.body)
        begin(company, town)
        until_state(company, "waiting", *parties.values())
        assert company.query("SELECT DISTINCT state FROM posting") == [("uncertain",)]

        town.advance(QUIET_AFTER_SEND)
        company.until_night_is_done(organisations=len(parties))

    for name, party in parties.items():
        assert len(sends(town, party)) == 2, name
        assert in_xero(party) == in_qonto(party), name
    assert asked_elsewhere == []
    (worker,) = company.running("worker")
    assert _peak_memory_kb(worker.pid) < MOST_MEMORY_KB
    assert company.restarts["worker"] == 0


def _in_utf16(told: Spoilt) -> Spoilt:
    body = told.body.decode().encode("utf-16")
    return replace(told, headers=told.headers | {"Content-Type": "application/json; charset=latin-1"}, body=body)


def _peak_memory_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
