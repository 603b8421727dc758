"""Our record held against Xero and mended, and a sample of organisations compared each night; Xero is only read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from domain.call_limits import Share
from models.bank_account import Cursor
from models.invariant_check import InvariantCheck
from models.organisation import Connection
from models.posting import Posting, PostingEvent
from models.posting_batch import PostingBatch
from models.states import RunKind
from models.sync_run import SyncRun, ask_for_run
from scheduler.tick import tick
from services import sync_organisation
from services.check import check_over
from services.job import Job
from services.settle_holds import settle_holds
from services.verify_books import ask_to_verify
from tests.acceptance.world import NOON, Company, Office, spends

pytestmark = pytest.mark.acceptance


def _verified(office: Office, company: Company) -> str:
    """What a verification says in the end; whatever it did at Xero was reading."""
    asked = office.world.last_request()
    run = ask_to_verify(company.connection, "ada", "to be sure", office.world.now)
    office.run_until_quiet()
    assert {request.method for request in company.requests(asked)} <= {"GET"}
    ended = next(one for one in company.runs() if one.id == run.id)
    assert ended.state == "done"
    return str(ended.reason)


def _forget(*transactions: str) -> None:
    """Our record of these is gone, as after a database was lost."""
    ours = [posting.id for posting in Posting.select().where(Posting.transaction_id.in_(transactions))]
    PostingEvent.delete().where(PostingEvent.posting_id.in_(ours)).execute()
    Posting.delete().where(Posting.id.in_(ours)).execute()


def test_what_the_record_has_forgotten_is_found_in_xero_and_taken_into_it(office: Office) -> None:
    company = office.connected()
    ours = company.moves(spends(100), spends(200))
    office.night()
    _forget(*ours)

    assert _verified(office, company) == ""

    assert company.states() == {"posted": 2}
    office.night()
    assert len(company.postings_sent()) == 1


def test_a_deletion_in_xero_is_seen_and_kept(office: Office) -> None:
    company = office.connected()
    first, second = company.moves(spends(100), spends(200))
    office.night()
    company.in_xero(f"bank-transactions/{company.row(first)['id']}/delete")
    company.in_xero(f"bank-transactions/{company.row(second)['id']}/delete")
    _forget(second)

    assert _verified(office, company) == ""

    assert company.states() == {"deleted_in_xero": 2}


def test_what_is_new_in_qonto_is_read_and_waits_for_the_night(office: Office) -> None:
    company = office.established()
    [new] = company.moves(spends(100))

    _verified(office, company)

    assert company.state(new) == "due"
    office.night()
    assert company.state(new) == "posted"


def test_nothing_is_sent_before_it_was_verified(office: Office) -> None:
    company = office.connected()
    ours = company.moves(spends(100))
    office.night()
    _forget(*ours)
    ask_to_verify(company.connection, "ada", "to be sure", office.world.now)
    ask_for_run(company.connection, RunKind.MANUAL, "interactive", office.world.now.date(), office.world.now)

    office.run_until_quiet()

    assert company.states() == {"posted": 1}
    assert len(company.postings_sent()) == 1


def test_what_xero_lacks_although_we_say_that_it_is_there_is_named(office: Office) -> None:
    company = office.connected()
    [posted] = company.moves(spends(100))
    office.night()
    Posting.update(bank_transaction_id="not-there").where(Posting.transaction_id == posted).execute()

    assert _verified(office, company) == f"1 posted by our record and not in Xero: {posted}"
    office.companies.clear()


def test_what_carries_our_link_in_xero_and_is_unknown_here_is_named(office: Office) -> None:
    company = office.connected()
    [posted] = company.moves(spends(100))
    office.night()
    _copy(company, posted, url=company.row(posted)["url"].replace(posted, "a-stranger"))

    assert _verified(office, company) == "1 in Xero with our link and unknown here: a-stranger"
    office.companies.clear()


def _copy(company: Company, transaction: str, **changes: str) -> str:
    """A person enters it once more by hand; the copy's id."""
    row = company.row(transaction)
    told = {name: row[name] for name in ("account_id", "type", "date", "url")} | {"amount_cents": row["cents"]}
    return str(company.in_xero("bank-transactions", told | changes)["id"])


def _twice(office: Office) -> tuple[Company, str, list[str]]:
    """A transaction that stands twice in Xero: whose, which, and its two rows, of which our record names the first."""
    company = office.connected()
    [posted] = company.moves(spends(100))
    office.night()
    office.companies.clear()  # the end's check would find the copy
    return company, posted, [str(company.row(posted)["id"]), _copy(company, posted)]


def test_what_stands_twice_in_xero_is_named(office: Office) -> None:
    company, posted, _ = _twice(office)

    assert _verified(office, company) == f"1 more than once in Xero: {posted}"


@pytest.mark.parametrize("which", [0, 1], ids=["the one that we name", "the other"])
def test_once_the_surplus_copy_was_deleted_our_record_names_the_other_and_holds(office: Office, which: int) -> None:
    company, posted, rows = _twice(office)
    company.in_xero(f"bank-transactions/{rows[which]}/delete")
    assert not check_over(company.connection, office.workbench).holds

    assert _verified(office, company) == ""

    assert (company.state(posted), company.posting(posted).bank_transaction_id) == ("posted", rows[1 - which])
    assert check_over(company.connection, office.workbench).holds
    company.in_xero(f"bank-transactions/{rows[1 - which]}/delete")
    assert _verified(office, company) == ""
    assert company.state(posted) == "deleted_in_xero"


def test_where_every_copy_was_deleted_it_is_deleted(office: Office) -> None:
    company, posted, rows = _twice(office)
    for row in rows:
        company.in_xero(f"bank-transactions/{row}/delete")

    assert _verified(office, company) == ""

    assert (company.state(posted), company.posting(posted).bank_transaction_id) == ("deleted_in_xero", rows[0])
    assert check_over(company.connection, office.workbench).holds


def test_a_transaction_that_stands_twice_in_xero_is_found_by_the_nights_sample(office: Office) -> None:
    company = office.connected()
    [posted] = company.moves(spends(100))
    office.night()
    _inspect(office, company)
    assert _found() == {"I1": 0, "I17": 0}

    _copy(company, posted)
    _inspect(office, company)

    assert _found()["I1"] == 1
    assert posted in InvariantCheck.get(InvariantCheck.name == "I1").examples
    office.companies.clear()


def test_what_the_nights_sample_found_wrong_is_compared_anew_with_a_verification(office: Office) -> None:
    company, _, rows = _twice(office)
    _inspect(office, company)
    assert _found() == {"I1": 1, "I17": 0}
    company.in_xero(f"bank-transactions/{rows[1]}/delete")

    _verified(office, company)

    assert _found() == {"I1": 0, "I17": 0}


def _inspect(office: Office, company: Company) -> None:
    ask_for_run(company.connection, RunKind.INSPECTION, "nightly", office.world.now.date(), office.world.now)
    office.run_until_quiet()


def _found() -> dict[str, int]:
    return {check.name: check.violations for check in InvariantCheck.select().order_by(InvariantCheck.name)}


def test_a_run_of_a_kind_that_only_a_later_release_knows_waits_for_it(office: Office) -> None:
    company = office.established()
    run = ask_for_run(company.connection, RunKind.MANUAL, "nightly", office.world.now.date(), office.world.now)
    type(run).update(kind="reconciliation").where(type(run).id == run.id).execute()
    asked = office.world.last_request()

    office.turn()

    [unknown] = [one for one in company.runs() if one.kind == "reconciliation"]
    assert (unknown.state, unknown.code) == ("waiting", "another_run_goes_first")
    assert company.requests(asked) == []
    type(run).delete().where(type(run).id == run.id).execute()


def _forgotten(office: Office, **description: Any) -> tuple[Company, list[str]]:
    """A company of whose first night our record has forgotten everything, and whose cursors are long past it.

    Qonto shows no balances, which would tell a night that something is missing.
    """
    company = office.connected(**description)
    ours = company.moves(*(spends(100, account_id=account) for account in company.account_ids))
    office.night()
    company.moves(spends(300))
    office.night()
    office.morning()
    office.world.move_to(office.world.next(NOON))
    _forget(*ours)
    office.qonto_lists_accounts(lambda them: [one | {"balance_cents": None} for one in them])
    return company, ours


def _found_once(office: Office, company: Company, ours: Sequence[str]) -> None:
    office.night()
    assert company.duplicates() == []
    assert [company.state(one) for one in ours] == ["posted"] * len(ours)


def test_a_night_that_begins_first_does_not_count_as_the_verification(office: Office) -> None:
    company, ours = _forgotten(office)
    office.at_23()
    tick(office.world.now)  # tonight's run is open, its message is on its way
    ask_to_verify(company.connection, "ada", "to be sure", office.world.now)
    office.run_until_quiet()

    _found_once(office, company, ours)


def test_a_doubt_in_the_middle_of_another_turn_is_not_taken_back_by_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, ours = _forgotten(office)
    Connection.update(verify_since=office.world.now).execute()

    def doubt(job: Job, codes: set[str]) -> None:
        monkeypatch.undo()
        settle_holds(job, codes)
        ask_to_verify(Connection.get_by_id(company.connection_id), "ada", "to be sure", office.world.now)

    monkeypatch.setattr("services.steps.settle_holds", doubt)
    office.night()

    _found_once(office, company, ours)


def test_an_account_that_could_not_be_read_is_read_before_the_record_counts_as_verified(office: Office) -> None:
    company, ours = _forgotten(office, accounts=[{"name": "Main"}, {"name": "Second"}])
    office.world.fault("status", service="qonto", method="GET", path="/transactions", status=503, skip=1, times=1)

    assert _verified(office, company) == ""

    _found_once(office, company, ours)


def test_what_an_earlier_connection_sent_is_not_missed(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100))
    office.night()
    office.world.wait(days=1)
    office.disconnect(company)
    office.reconnect(company)
    office.run_until_quiet()

    assert _verified(office, company) == ""


def test_who_comes_back_after_a_restore_finds_what_a_lost_connection_sent(office: Office) -> None:
    company = office.established()
    company.in_xero("lock-date", {"period_lock_date": "2099-01-01"})
    [held] = company.moves(spends(100))
    office.night()
    company.in_xero("lock-date", {"period_lock_date": None})
    office.disconnect(company)
    [backup] = Posting.select().where(Posting.transaction_id == held).dicts()
    office.reconnect(company)
    office.night()
    assert company.state(held) == "posted"
    lost = company.connection_id
    for table in (Cursor, PostingBatch, SyncRun):
        table.delete().where(table.connection_id == lost).execute()
    Posting.update(backup).where(Posting.transaction_id == held).execute()
    Connection.delete().where(Connection.id == lost).execute()
    office.world.wait(minutes=10)

    office.reconnect(company)
    office.night()

    assert company.duplicates() == []
    office.companies.clear()  # batches that the backup never had are missed by the end's check


def test_a_long_list_in_xero_is_read_on_when_our_share_of_the_minute_is_used_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, ours = _forgotten(office, accounts=[{"name": name} for name in ("Main", "Second", "Third")])
    monkeypatch.setattr("clients.xero.bank_transactions.PAGE", 1)
    monkeypatch.setitem(sync_organisation.SHARES, RunKind.VERIFICATION, Share(minute=3, app_minute=100))
    monkeypatch.setattr(office.workbench.app_share, "rest", lambda seconds: office.world.wait(seconds=seconds))
    asked = office.world.last_request()

    assert _verified(office, company) == ""

    pages = [request for request in company.requests(asked) if request.is_look]
    assert len(pages) == 2 * (len(ours) + 1)  # a list to adopt from and one to compare with, each read once
    _found_once(office, company, ours)


def test_what_a_customer_changed_in_xero_is_theirs_and_no_violation(office: Office) -> None:
    company = office.connected()
    [posted] = company.moves(spends(100))
    office.night()
    office.world.wait(hours=1)
    company.in_xero(f"bank-transactions/{company.row(posted)['id']}/edit", {"date": "2026-01-01"})

    _inspect(office, company)

    assert _found() == {"I1": 0, "I17": 0}
    office.companies.clear()


def test_books_that_are_too_long_are_not_compared_each_night(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    company = office.connected()
    company.moves(spends(100), spends(200), spends(300))
    office.night()
    monkeypatch.setattr("clients.xero.bank_transactions.PAGE", 1)
    monkeypatch.setattr("services.inspect_books.MOST_PAGES", 2)

    _inspect(office, company)

    assert _found() == {}
    assert "too large" in company.runs()[-1].reason
