"""What a person deleted in Xero is seen, shown, and never comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.bank_account import Cursor
from models.chosen import runs_numbered
from models.posting import Posting
from services.explain import explain
from services.replay import Person, replay, runs_once_more
from tests.acceptance.world import MORNING, Office, before, spends

pytestmark = pytest.mark.acceptance


def test_a_deletion_is_seen_at_five_and_nothing_we_do_brings_it_back(office: Office) -> None:
    company = office.connected()
    deleted, kept = company.moves(spends(100), spends(200))
    office.night()
    company.in_xero(f"bank-transactions/{company.row(deleted)['id']}/delete")
    assert company.state(deleted) == "posted"

    office.morning()

    assert company.state(deleted) == "deleted_in_xero"
    assert company.state(kept) == "posted"
    assert explain(deleted)[0].steps[-1].what == "deleted in xero"
    sent = len(company.postings_sent())
    list(replay(runs_once_more(runs_numbered([company.runs()[0].id])), Person("ada", "to see"), office.world.now))
    office.run_until_quiet()
    office.sync_now(company)
    company.at_qonto(f"transactions/{deleted}", {"note": "edited"})
    office.night()
    office.night()
    assert company.row(deleted)["status"] == "DELETED"
    assert len(company.postings_sent()) == sent


def test_a_deletion_nobody_has_seen_yet_is_not_repaired_by_reading_all_of_qonto_again(office: Office) -> None:
    company = office.connected()
    [deleted] = company.moves(spends(100))
    office.night()
    company.in_xero(f"bank-transactions/{company.row(deleted)['id']}/delete")
    Cursor.delete().execute()

    office.sync_now(company)

    assert len(company.rows(deleted)) == 1


def test_a_look_at_xero_reads_only_what_changed_since_the_last_one(office: Office) -> None:
    company = office.established()
    asked = office.world.last_request()
    looked_at = company.connection.observed_until

    office.morning()

    [look] = [request for request in company.requests(asked) if request.is_look]
    assert look.at - looked_at == timedelta(hours=24)
    assert company.connection.observed_until == look.at


def test_a_deletion_in_the_minute_of_a_look_is_seen_by_that_look_or_by_the_next(office: Office) -> None:
    company = office.connected()
    first, second = company.moves(spends(100), spends(200))
    office.night()
    company.in_xero(f"bank-transactions/{company.row(first)['id']}/delete")
    office.morning()
    company.in_xero(f"bank-transactions/{company.row(second)['id']}/delete")

    office.morning()

    assert company.states() == {"deleted_in_xero": 2}


def test_a_deletion_that_one_look_was_not_shown_is_seen_by_the_next(office: Office) -> None:
    company = office.connected()
    [deleted] = company.moves(spends(100))
    office.night()
    company.in_xero(f"bank-transactions/{company.row(deleted)['id']}/delete")
    office.xero_answers(lambda _: [])
    office.morning()
    assert company.state(deleted) == "posted"
    office.restart()

    office.morning()

    assert company.state(deleted) == "deleted_in_xero"


def test_a_restored_database_that_forgot_a_posting_it_was_sending_finds_it_deleted(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    company.in_xero(f"bank-transactions/{company.row(payment)['id']}/delete")

    office.world.wait(days=2)
    office.run_until_quiet()

    assert company.state(payment) == "deleted_in_xero"
    assert Posting.select().where(Posting.transaction_id == payment).count() == 1


def test_what_a_person_deletes_during_the_look_is_seen_by_the_next_one(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100))
    office.night()
    office.world.move_to(office.world.next(MORNING))
    began = office.world.now

    with before("services.observe_xero.note_deleted", lambda: office.world.wait(seconds=60)):
        office.run_until_quiet()

    assert company.connection.observed_until == began
