"""A restored database has forgotten what was posted since its backup: Xero is asked before anything is sent again.

All happens within half an hour: later Xero takes no refresh token that was rotated since, and a person must reconnect.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.call_budget import CallBudget
from models.database import Table, database, transaction
from models.posting_batch import PostingBatch
from services.verify import MARGIN, distrust_record
from tests.acceptance.world import Company, Office, spends

pytestmark = pytest.mark.acceptance

TABLES = [table for table in Table.__subclasses__() if table is not CallBudget]


@pytest.fixture
def backup() -> Callable[[], Callable[[], None]]:
    """Takes a copy of every row; what it gives puts them back."""

    def take() -> Callable[[], None]:
        copies = {table: list(table.select().dicts()) for table in TABLES}

        def restore() -> None:
            pointed_at_last = _in_order()
            with transaction():
                for table in reversed(pointed_at_last):
                    table.delete().execute()
                for table in pointed_at_last:
                    for row in copies[table]:
                        table.insert(row).execute()

        return restore

    return take


def _in_order() -> list[type[Table]]:
    """Whoever is pointed at comes first."""
    points = {
        key.table: key.dest_table for table in TABLES for key in database.get_foreign_keys(table._meta.table_name)
    }
    first = ["organisation", "credential", "connection", "bank_account", "posting"]
    assert set(points.values()) <= set(first)
    return sorted(TABLES, key=lambda table: (*first, table._meta.table_name).index(table._meta.table_name))


def _say_so(office: Office, taken_at: datetime) -> None:
    distrust_record(taken_at, "ada", "the disk broke", office.world.now)
    office.restart()


def _found_once(office: Office, company: Company) -> None:
    """Each transaction is there once. The check at the end would miss the batches that the database forgot."""
    assert company.lost() == set()
    assert company.duplicates() == []
    assert set(company.states()) <= {"posted", "deleted_in_xero"}
    office.companies.clear()


def test_nothing_posted_since_the_backup_is_posted_again(office: Office, backup: Any) -> None:
    company = office.established()
    restore, taken_at = backup(), office.world.now
    company.moves(spends(100), spends(200))
    office.night()
    company.moves(spends(300))

    restore()
    _say_so(office, taken_at)
    office.run_until_quiet()

    assert company.states() == {"posted": 3}
    assert len(company.postings_sent()) == 2
    _found_once(office, company)


def test_a_batch_that_the_backup_thinks_was_never_sent_is_not_sent_again(office: Office, backup: Any) -> None:
    company = office.established()
    company.moves(spends(100), spends(200))
    office.at_23()
    with office.power_cut("services.send_batches._store_sending", when="before"):
        office.turn()
    restore, taken_at = backup(), office.world.now
    office.run_until_quiet()

    restore()
    assert PostingBatch.get().state == "intended"
    _say_so(office, taken_at)
    office.run_until_quiet()

    assert company.states() == {"posted": 2}
    assert len(company.postings_sent()) == 1
    _found_once(office, company)


def test_what_a_person_deleted_since_the_backup_stays_deleted(office: Office, backup: Any) -> None:
    company = office.established()
    restore, taken_at = backup(), office.world.now
    [deleted] = company.moves(spends(100))
    office.night()
    company.in_xero(f"bank-transactions/{company.row(deleted)['id']}/delete")

    restore()
    _say_so(office, taken_at)
    office.run_until_quiet()

    assert company.state(deleted) == "deleted_in_xero"
    assert len(company.postings_sent()) == 1
    _found_once(office, company)


def test_nobody_calls_xero_while_a_request_of_before_may_be_under_way(office: Office, backup: Any) -> None:
    company = office.established()
    restore, taken_at = backup(), office.world.now
    company.moves(spends(100))
    office.at_23()
    asked = office.world.last_request()

    restore()
    _say_so(office, taken_at)
    office.turn()
    office.world.wait(minutes=6, seconds=59)
    office.turn()

    assert company.requests(asked) == []
    office.run_until_quiet()
    assert company.states() == {"posted": 1}


def test_an_organisation_is_verified_once(office: Office, backup: Any) -> None:
    company = office.established()
    _say_so(office, office.world.now)
    company.moves(spends(100))
    office.night()
    company.moves(spends(200))
    office.at_23()
    asked = office.world.last_request()
    office.run_until_quiet()

    assert company.connection.verify_since is None
    assert (
        len([request for request in company.requests(asked) if request.is_look and request.at == office.world.now]) == 0
    )


def test_a_restored_run_reads_qonto_anew_before_it_is_verified(office: Office, backup: Any) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    with office.power_cut("services.post_due.post_transactions", when="before"):
        office.turn()
    restore, taken_at = backup(), office.world.now
    office.run_until_quiet()
    company.moves(spends(200))
    office.sync_now(company)

    restore()
    _say_so(office, taken_at)
    office.run_until_quiet()
    office.sync_now(company)

    assert company.states() == {"posted": 2}
    assert len(company.postings_sent()) == 2
    _found_once(office, company)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["the earlier one first", "the later one first"])
def test_of_two_restores_the_earlier_moment_is_the_one_to_verify_from(office: Office, order: tuple[int, int]) -> None:
    company = office.established()
    moments = (office.world.now - timedelta(days=2), office.world.now - timedelta(days=1))

    for number in order:
        distrust_record(moments[number], "ada", "the disk broke", office.world.now)

    moved = moments[0] - MARGIN - company.connection.verify_since  # a later doubt moves it a little
    assert timedelta(0) <= moved < timedelta(milliseconds=1)
