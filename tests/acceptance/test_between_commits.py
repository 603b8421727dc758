"""A worker that dies, or stands still, between two things that must not come apart."""

from __future__ import annotations

import pytest

from clients.steady import steady_seconds
from domain.recovery import PROOF_AFTER
from tests.acceptance.world import Office, spends

pytestmark = pytest.mark.acceptance


def test_a_worker_that_dies_while_it_stores_a_page_has_not_moved_the_cursor_past_it(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.world.wait(hours=5)  # so that no overlap reaches from the second one back to the first
    company.moves(spends(200))
    office.at_23()

    with office.power_cut("services.store_transactions.insert_new", when="before"):
        office.turn()

    office.run_until_quiet()
    assert company.states() == {"posted": 2}


def test_a_worker_that_was_stopped_between_its_commit_and_the_wire_sends_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()

    with monkeypatch.context() as patch:
        patch.setattr("clients.xero.client.steady_seconds", lambda: steady_seconds() + PROOF_AFTER.total_seconds())
        office.turn()

    assert company.postings_sent() == []
    office.run_until_quiet()
    assert company.states() == {"posted": 1}


def test_what_a_dead_worker_had_sent_is_there_once_however_late_the_next_one_comes(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    with office.power_cut("services.send_batches.put_bank_transactions", when="after"):
        office.turn()

    office.world.wait(minutes=8)
    office.run_until_quiet()

    assert company.states() == {"posted": 1}
    assert len(company.postings_sent()) == 1
