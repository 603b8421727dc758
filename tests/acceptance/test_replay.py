"""Once more: what is missing comes, what is there is not sent, and what a person deleted comes only if another asks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain.reasons import Held, Rejected
from models.audit import AuditEntry
from models.bank_account import Cursor
from models.chosen import (
    newest_night_of_each,
    nights_between,
    nights_that_failed,
    runs_numbered,
    transactions_called,
    transactions_stuck,
)
from models.posting import Posting, move
from models.states import PostingState, RunKind, RunState
from models.sync_run import SyncRun
from scheduler.tick import tick
from services import sync_organisation
from services.check import check_over
from services.explain import explain
from services.job import Job
from services.replay import Item, Person, replay, runs_once_more, transactions_once_more
from services.verdict import Verdict
from services.verify_books import ask_to_verify
from tests.acceptance.world import Company, Office, spends

pytestmark = pytest.mark.acceptance

GRACE = Person("grace", "the customer asked")


def _go(office: Office, items: list[Item]) -> int:
    done = sum(replay(items, GRACE, office.world.now))
    office.run_until_quiet()
    return done


def _newest(company: Company) -> list[Item]:
    return runs_once_more(newest_night_of_each([company.id]))


def _transaction(name: str, *, recreate: bool = False) -> list[Item]:
    return transactions_once_more(transactions_called(name), recreate=recreate)


def _audit() -> list[tuple[str, str, str]]:
    ours = AuditEntry.select().where(AuditEntry.who == "grace").order_by(AuditEntry.id)
    return [(entry.action, entry.subject, entry.reason) for entry in ours]


def _deleted(office: Office, company: Company) -> str:
    """A transaction of its, posted, deleted by a person in Xero, and seen to be."""
    [deleted] = company.moves(spends(100))
    office.night()
    company.in_xero(f"bank-transactions/{company.row(deleted)['id']}/delete")
    office.morning()
    assert company.state(deleted) == "deleted_in_xero"
    return deleted


def _refused(office: Office, company: Company, reason: str) -> str:
    """A transaction that Xero would take by now, and that we hold, or have rejected, for this reason."""
    company.in_xero("lock-date", {"period_lock_date": "2099-01-01"})
    [refused] = company.moves(spends(100))
    office.night()
    company.in_xero("lock-date", {"period_lock_date": None})
    state = PostingState.REJECTED if reason == Rejected.REFUSED else PostingState.HELD
    assert move(Posting.transaction_id == refused, state, office.world.now, reason=reason)
    return refused


def _made_twice(office: Office, company: Company, transaction: str) -> None:
    """It stands in Xero a second time because a person asked for it, which the end's check would call a double."""
    assert [row["status"] for row in company.rows(transaction)] == ["DELETED", "AUTHORISED"]
    assert check_over(company.connection, office.workbench).holds
    office.companies.clear()


def test_a_complete_night_once_more_writes_nothing(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100), spends(200))
    office.night()
    asked = office.world.last_request()

    assert _go(office, _newest(company)) == 1
    assert _go(office, _newest(company)) == 1

    assert [request for request in company.requests(asked) if request.method != "GET"] == []
    run = SyncRun.get(SyncRun.kind == RunKind.NIGHTLY)
    assert _audit() == [("run.replay", str(run.id), "the customer asked")] * 2
    assert run.state == RunState.DONE


def test_a_night_of_a_date_reads_qonto_again_from_before_that_date(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.night()
    [passed_over] = company.moves(spends(200))
    office.qonto_lists_accounts(lambda them: [one | {"balance_cents": None} for one in them])  # which would tell of it
    Cursor.update(read_until=office.world.now + timedelta(days=1)).execute()
    office.night()
    office.night()
    assert company.state(passed_over) == "unknown"
    *_, first, second = sorted(run.local_date for run in company.runs() if run.kind == RunKind.NIGHTLY)

    _go(office, _newest(company))
    assert company.state(passed_over) == "unknown"
    _go(office, runs_once_more(nights_between([company.id], first, second)))

    assert company.state(passed_over) == "posted"


def test_a_night_under_way_is_left_alone(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.at_23()
    tick(office.world.now)

    assert _go(office, _newest(company)) == 0

    assert len(company.postings_sent()) == 1
    assert _audit() == []


def test_a_run_that_was_taken_up_since_it_was_chosen_is_left_alone(office: Office) -> None:
    company = office.connected()
    office.night()
    chosen = _newest(company)
    list(replay(chosen, GRACE, office.world.now))

    assert list(replay(chosen, GRACE, office.world.now)) == [0]
    assert len(_audit()) == 1
    office.run_until_quiet()


@pytest.mark.parametrize("reason", [Held.NO_ANSWER, Rejected.REFUSED])
def test_what_was_held_or_rejected_is_sent_once_more(office: Office, reason: str) -> None:
    company = office.established()
    stuck = _refused(office, company, reason)

    assert _go(office, transactions_once_more(transactions_stuck(reason))) == 1

    assert company.state(stuck) == "posted"
    assert _audit() == [("transaction.replay", f"{company.id}/{stuck}", "the customer asked")]
    assert "due (replayed by grace)" in [step.what for step in explain(stuck)[0].steps]


def test_what_stands_in_xero_is_not_sent_once_more(office: Office) -> None:
    company = office.connected()
    [posted] = company.moves(spends(100))
    office.night()

    assert _go(office, _transaction(posted)) == 0
    assert _go(office, _transaction(company.row(posted)["id"], recreate=True)) == 0
    assert len(company.postings_sent()) == 1


def test_what_a_person_deleted_stays_deleted_unless_another_wants_it_again(office: Office) -> None:
    company = office.connected()
    deleted = _deleted(office, company)

    assert _go(office, _transaction(deleted)) == 0
    assert company.state(deleted) == "deleted_in_xero"
    assert _go(office, _transaction(deleted, recreate=True)) == 1

    assert company.state(deleted) == "posted"
    assert _audit() == [("transaction.recreate", f"{company.id}/{deleted}", "the customer asked")]
    _made_twice(office, company, deleted)


@pytest.mark.parametrize("when", ["before", "after"])
def test_made_again_with_a_lost_answer_it_is_there_once_and_the_deleted_row_is_not_taken_for_it(
    office: Office, when: str
) -> None:
    company = office.connected()
    deleted = _deleted(office, company)
    list(replay(_transaction(deleted, recreate=True), GRACE, office.world.now))
    office.world.fault("drop", when=when)
    office.turn()
    assert company.state(deleted) == "uncertain"
    office.world.wait(minutes=8)  # too late to send the same bytes again: it is looked for
    office.run_until_quiet()

    assert company.state(deleted) == "posted"
    _made_twice(office, company, deleted)


def test_a_look_at_everything_does_not_take_the_deleted_row_for_what_is_to_be_made_again(office: Office) -> None:
    company = office.connected()
    deleted = _deleted(office, company)
    list(replay(_transaction(deleted, recreate=True), GRACE, office.world.now))
    ask_to_verify(company.connection, "grace", "to be sure", office.world.now)

    office.run_until_quiet()

    assert company.state(deleted) == "posted"
    _made_twice(office, company, deleted)


def test_deleted_once_more_it_stays_deleted_once_more(office: Office) -> None:
    company = office.connected()
    deleted = _deleted(office, company)
    _go(office, _transaction(deleted, recreate=True))
    anew = next(row["id"] for row in company.rows(deleted) if row["status"] != "DELETED")
    company.in_xero(f"bank-transactions/{anew}/delete")
    office.morning()
    sent = len(company.postings_sent())

    _go(office, _newest(company))

    assert company.state(deleted) == "deleted_in_xero"
    assert len(company.postings_sent()) == sent
    office.companies.clear()


def test_what_is_held_for_another_reason_by_now_is_left_alone(office: Office) -> None:
    company = office.established()
    stuck = _refused(office, company, Held.REFUSED)
    chosen = transactions_once_more(transactions_stuck(Held.REFUSED))
    move(Posting.transaction_id == stuck, PostingState.HELD, office.world.now, reason=Held.UNRECOGNISED)

    assert sum(replay(chosen, GRACE, office.world.now)) == 0

    assert company.state(stuck) == "held: unrecognised_in_xero"
    assert _audit() == []
    company.missing[stuck] = "held: unrecognised_in_xero"


@pytest.mark.parametrize("recreate", [False, True])
def test_what_an_ended_connection_left_goes_over_the_one_that_is_live(office: Office, recreate: bool) -> None:
    company = office.established()
    left = _deleted(office, company) if recreate else _refused(office, company, Rejected.REFUSED)
    office.disconnect(company)
    assert _go(office, _transaction(left, recreate=recreate)) == 0
    office.reconnect(company)

    assert _go(office, _transaction(left, recreate=recreate)) == 1
    office.night()

    assert company.state(left) == "posted"
    if recreate:
        _made_twice(office, company, left)


def test_a_verification_is_not_replayed_as_if_it_sent(office: Office) -> None:
    company = office.connected()
    office.night()
    run = ask_to_verify(company.connection, "grace", "to be sure", office.world.now)
    office.run_until_quiet()

    [item] = runs_once_more(runs_numbered([run.id]))

    assert item.outcome == "stays"


def test_a_night_that_failed_for_a_reason_is_found_by_it(office: Office) -> None:
    company = office.connected()
    office.night()
    failed = SyncRun.update(state=RunState.FAILED, code="not_done_in_time").where(SyncRun.kind == RunKind.NIGHTLY)
    failed.execute()

    assert nights_that_failed("rate_limited") == []
    assert _go(office, runs_once_more(nights_that_failed("not_done_in_time"))) == 1

    assert [run.state for run in company.runs() if run.kind == RunKind.NIGHTLY] == [RunState.DONE]


def test_what_is_sent_again_while_its_run_ends_is_not_left_for_the_night(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = office.established()
    stuck = _refused(office, company, Rejected.REFUSED)

    def at_the_last_moment(job: Job, verdict: Verdict, now: datetime) -> None:
        monkeypatch.undo()
        list(replay(_transaction(stuck), GRACE, now))
        sync_organisation._store(job, verdict, now)

    monkeypatch.setattr(sync_organisation, "_store", at_the_last_moment)
    office.sync_now(company)

    assert company.state(stuck) == "posted"


def test_runs_are_chosen_by_their_numbers(office: Office) -> None:
    company = office.connected()
    office.night()

    assert [item.name for item in runs_once_more(runs_numbered([run.id for run in company.runs()]))]
