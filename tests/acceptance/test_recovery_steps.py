"""What the simulation found: a batch is looked up only when the rules say so, and as far back as any clock says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models.posting_batch import PostingBatch
from scheduler.tick import tick
from services import recover_batches
from services.send_batches import send_batches
from tests.acceptance.world import Office, spends

pytestmark = pytest.mark.acceptance


def test_a_batch_that_may_be_sent_again_by_now_is_not_looked_up_instead(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()
    office.world.fault("drop", when="after")
    office.turn()
    real = send_batches

    def while_others_are_sent(*args: Any) -> None:
        real(*args)
        office.world.wait(seconds=10)

    monkeypatch.setattr(recover_batches, "send_batches", while_others_are_sent)
    office.world.wait(seconds=40)
    office.work(company.runs()[-1].id)
    monkeypatch.undo()

    assert [request for request in company.requests(asked) if request.is_look] == []
    office.run_until_quiet()
    first, again = company.postings_sent()
    assert first.key == again.key


def test_a_batch_of_which_no_byte_has_left_is_not_looked_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()
    monkeypatch.setattr("services.send_batches.SEND_WITHIN", timedelta(seconds=-1))
    office.turn()
    monkeypatch.undo()

    assert PostingBatch.get().sends == 0
    office.run_until_quiet()
    assert company.states() == {"posted": 1}
    assert [request for request in company.requests(asked) if request.is_look] == []


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1), timedelta(minutes=10)])
@pytest.mark.parametrize("wrong", ["clock", "machine_clock"])
def test_a_clock_that_is_not_xeros_hides_no_row_from_the_look_up(office: Office, wrong: str, ahead: timedelta) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    tick(office.world.now)
    off: dict[str, Any] = {wrong: lambda: office.world.now + ahead}
    office.workbench = replace(office.workbench, **off)
    office.world.fault("drop", when="after", times=4)
    run = company.runs()[-1].id

    for _ in range(20):
        office.work(run)
        office.world.wait(minutes=1)

    assert company.states() == {"posted": 1}
    assert len(company.rows()) == 1
    office.companies.clear()  # our own times are wrong here, which the check at the end would hold against us
