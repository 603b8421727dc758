"""Our record held against Xero and mended, and a sample of organisations compared each night; Xero is only read."""

from __future__ import annotations

import pytest

from models.invariant_check import InvariantCheck
from models.posting import Posting, PostingEvent
from models.states import RunKind
from models.sync_run import ask_for_run
from services.check import check_over
from services.verify_books import ask_to_verify
from tests.acceptance.world import Company, Office, spends

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
    assert _found() == {"I1": 1, "I17": 1}
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
