"""What the simulation found: a batch is looked up only when the rules say so, and as far back as any clock says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.recovery import ON_THE_WIRE
from models.posting_batch import PostingBatch
from models.states import ConnectionState
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


def test_a_batch_of_which_no_byte_has_left_is_not_looked_up(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()
    with office.power_cut("services.send_batches._store_sending", when="before"):
        office.turn()
    assert PostingBatch.get().sends == 0

    office.world.wait(minutes=8)
    office.run_until_quiet()

    assert company.states() == {"posted": 1}
    assert [request for request in company.requests(asked) if request.is_look] == []


def test_a_request_that_was_cut_short_counts_as_sent_and_its_key_is_quiet_for_a_while(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    monkeypatch.setattr("services.send_batches.SEND_WITHIN", timedelta(seconds=-1))
    office.turn()
    monkeypatch.undo()
    first_sent_at = PostingBatch.get().first_sent_at
    assert (PostingBatch.get().state, PostingBatch.get().sends) == ("uncertain", 1)

    office.run_until_quiet()

    batch = PostingBatch.get()
    assert (batch.first_sent_at, batch.sends) == (first_sent_at, 2)
    assert batch.last_sent_at - batch.first_sent_at == ON_THE_WIRE
    assert company.states() == {"posted": 1}


def test_a_request_that_was_cut_short_is_looked_up_once_its_key_is_forgotten(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()
    monkeypatch.setattr("services.send_batches.SEND_WITHIN", timedelta(seconds=-1))
    office.turn()
    monkeypatch.undo()

    office.world.wait(minutes=8)
    office.run_until_quiet()

    *looks, sent = [r for r in company.requests(asked) if r.service == "xero" and (r.is_look or r.is_posting)]
    assert [look.is_look for look in looks] == [True, True]
    assert sent.key != PostingBatch.get_by_id(1).key
    assert company.states() == {"posted": 1}


REFUSALS: dict[str, dict[str, Any]] = {
    "a limit of the minute": {"status": 429, "problem": "minute", "retry_after": 30},
    "a limit of the day": {"status": 429, "problem": "day", "retry_after": 3600},
    "a token": {"status": 401},
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_after_xero_did_the_work_makes_no_second_row(office: Office, what: str) -> None:
    company = office.established()
    company.moves(spends(100), spends(200))
    office.world.fault("status", when="after", sticky_cached=False, **REFUSALS[what])

    office.night()
    office.night()

    assert company.states() == {"posted": 2}
    assert company.duplicates() == []


def test_an_organisation_that_was_shut_out_after_xero_did_the_work_gets_no_second_row(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.world.fault("status", status=403, when="after", sticky_cached=False)
    office.night()
    office.world.wait(hours=1)
    if company.connection.state == ConnectionState.NEEDS_RECONNECT:
        office.reconnect(company)

    office.night()

    assert company.states() == {"posted": 1}
    assert company.duplicates() == []


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
