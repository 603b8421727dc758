"""F31 to F35: Xero's answer to a writing is lost, and we come back at another time."""

from __future__ import annotations

import pytest

from tests.acceptance.processes import PUTS, in_qonto, in_xero
from tests.faults.rig import FaultyCompany
from tests.faults.xero_side import (
    DAY,
    MINUTE,
    PROOF_AFTER,
    QUIET_AFTER_SEND,
    begin,
    connected,
    looks,
    moment_of,
    sends,
    states_of,
    until_state,
)
from tests.sandbox.world_client import Party, WorldClient

pytestmark = [pytest.mark.faults, pytest.mark.integration]


@pytest.mark.fault("F31", injected="no answer, and Xero has not taken it", holds="I1 I2 I9")
def test_what_never_arrived_is_sent_again_with_the_same_key_and_bytes(
    company: FaultyCompany, town: WorldClient
) -> None:
    party = connected(company, town)
    town.fault("drop", match=PUTS, when="before")
    begin(company, town)
    until_state(company, "waiting", party)
    assert not in_xero(party)

    town.advance(QUIET_AFTER_SEND)
    company.until_night_is_done()

    _was_sent_twice_as_one(town, party)


@pytest.mark.fault("F32", injected="no answer, but Xero has taken it; again inside six minutes", holds="I1 I2 I9")
def test_what_arrived_unanswered_is_answered_from_xeros_memory(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town)
    town.fault("drop", match=PUTS, when="after")
    begin(company, town)
    until_state(company, "waiting", party)
    assert in_xero(party) == in_qonto(party)

    town.advance(4 * MINUTE)
    company.until_night_is_done()

    _was_sent_twice_as_one(town, party)
    assert looks(town, party) == []


def _was_sent_twice_as_one(town: WorldClient, party: Party) -> None:
    first, again = sends(town, party)
    assert (first["status"], again["status"]) == (0, 200)
    assert (first["key"], first["body_sha256"]) == (again["key"], again["body_sha256"])
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault("F33", injected="no answer, and nobody comes back before seven minutes or a day", holds="I1 I10")
@pytest.mark.parametrize("later", [pytest.param(PROOF_AFTER, id="7 minutes"), pytest.param(DAY, id="24 hours")])
def test_after_xeros_memory_we_look_before_anything_is_sent(
    company: FaultyCompany, town: WorldClient, later: int
) -> None:
    arrived, lost = connected(company, town), connected(company, town, name="Lluvia SL")
    town.fault("drop", match=PUTS | {"tenant": arrived.tenant}, when="after")
    town.fault("drop", match=PUTS | {"tenant": lost.tenant}, when="before")
    begin(company, town)
    until_state(company, "waiting", arrived, lost)

    town.advance(later)
    company.until_night_is_done(organisations=2)

    assert len(sends(town, arrived)) == len(looks(town, arrived)) == 1
    first, again = sends(town, lost)
    assert (first["key"] != again["key"], again["status"]) == (True, 200)
    moments = [moment_of(look) for look in looks(town, lost)]
    assert len(moments) == 2, "what one list lacks is looked for in a second one"
    assert moment_of(first) < min(moments)
    assert max(moments) < moment_of(again)
    assert (min(moments) - moment_of(first)).total_seconds() >= PROOF_AFTER
    assert [in_xero(party) for party in (arrived, lost)] == [in_qonto(party) for party in (arrived, lost)]


@pytest.mark.fault("F34", injected="no answer, and a person deletes the row before we come back", holds="I1 I3")
def test_what_a_person_deleted_meanwhile_is_adopted_as_deleted(company: FaultyCompany, town: WorldClient) -> None:
    party = connected(company, town)
    town.fault("drop", match=PUTS, when="after")
    begin(company, town)
    until_state(company, "waiting", party)
    row = party.ledger()["bank_transactions"][0]
    town.control("POST", f"/xero/{party.tenant}/bank-transactions/{row['id']}/delete")

    town.advance(PROOF_AFTER)
    company.until_night_is_done()
    assert company.run("sync", party.known["slug"]).code == 0

    assert states_of(company, party) == {"posted": 2, "deleted_in_xero": 1}
    assert len(sends(town, party)) == 1
    assert in_xero(party) == in_qonto(party)


@pytest.mark.fault(
    "F35", injected="Xero repeats an internal error for the key, effect present and absent", holds="I1 I2 I10"
)
def test_an_error_that_xero_remembers_is_waited_out_and_looked_behind(
    company: FaultyCompany, town: WorldClient
) -> None:
    present, absent = connected(company, town), connected(company, town, name="Lluvia SL")
    town.fault("status", status=500, match=PUTS | {"tenant": present.tenant}, when="after", sticky_cached=True)
    town.fault("status", status=500, match=PUTS | {"tenant": absent.tenant}, when="before")
    begin(company, town)
    until_state(company, "waiting", present, absent)
    town.advance(QUIET_AFTER_SEND)
    company.until(lambda: [len(sends(town, p)) for p in (present, absent)] == [2, 2], "both to be sent again")
    until_state(company, "waiting", present, absent)

    town.advance(PROOF_AFTER)
    company.until_night_is_done(organisations=2)

    assert [put["status"] for put in sends(town, present)] == [500, 500]
    assert len({put["key"] for put in sends(town, present)}) == 1
    assert [put["status"] for put in sends(town, absent)] == [500, 500, 200]
    assert len({put["key"] for put in sends(town, absent)}) == 2
    assert [in_xero(party) for party in (present, absent)] == [in_qonto(party) for party in (present, absent)]
