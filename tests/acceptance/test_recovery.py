"""Answers that never came: whatever broke, each Qonto transaction is one bank transaction in the end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from models.posting_batch import PostingBatch
from tests.acceptance.world import Company, Office, spends

pytestmark = pytest.mark.acceptance

MISFORTUNES: dict[str, dict[str, Any]] = {
    "drop": {"action": "drop"},
    "reset": {"action": "reset"},
    "truncated": {"action": "truncated"},
    "garbage": {"action": "garbage"},
    "huge": {"action": "huge"},
    "redirect": {"action": "redirect"},
    "500": {"action": "status", "status": 500},
    "503 thrice": {"action": "status", "status": 503, "times": 3},
}
ABSENCES = {"at once": 0, "4 min": 4, "6 min": 6, "8 min": 8, "a day": 24 * 60}
REPLAY_FAILS = {
    ("500", "at once"),  # Xero remembers an internal error under its key
    ("500", "4 min"),
    ("503 thrice", "4 min"),  # time is left for two repetitions, and both fail
}


def keys_sent(company: Company) -> list[str]:
    return list(dict.fromkeys(request.key for request in company.postings_sent()))


def sent_seconds_after_the_first(company: Company) -> list[float]:
    sent = company.postings_sent()
    return [(request.at - sent[0].at).total_seconds() for request in sent]


@pytest.mark.parametrize("absence", ABSENCES)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("misfortune", MISFORTUNES)
def test_one_bank_transaction_each_whatever_broke_and_whenever_we_come_back(
    office: Office, misfortune: str, when: str, absence: str
) -> None:
    company = office.established()
    company.moves(spends(100), spends(100), spends(300))
    office.world.fault(when=when, tenant=company.tenant, **MISFORTUNES[misfortune])
    office.at_23()
    office.turn()
    assert company.states()["uncertain"] == 3
    if misfortune == "503 thrice" and ABSENCES[absence] > 4:
        office.world.end_faults()

    office.world.wait(minutes=ABSENCES[absence])
    office.turn()
    office.run_until_quiet()

    assert company.states() == {"posted": 3}
    is_replayed = ABSENCES[absence] < 5 and (misfortune, absence) not in REPLAY_FAILS
    assert len(keys_sent(company)) == (1 if is_replayed or when == "after" else 2)
    assert not [seconds for seconds in sent_seconds_after_the_first(company) if 300 <= seconds < 420]


def test_what_xero_took_is_replayed_under_its_key_and_answered_with_the_rows_of_the_first_time(office: Office) -> None:
    company = office.established()
    company.moves(spends(100), spends(200))
    office.world.fault("drop", when="after")

    office.night()

    first, second = company.postings_sent()
    assert (first.key, first.sha256) == (second.key, second.sha256)
    assert second.at - first.at == timedelta(seconds=45)
    assert {row["key"] for row in company.rows()} == {first.key}


def test_nothing_is_sent_and_nothing_looked_up_between_five_and_seven_minutes(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    asked = office.world.last_request()

    office.world.wait(minutes=5)
    for _ in range(4):
        office.turn()
        office.world.wait(seconds=29)

    assert company.requests(asked) == []
    assert company.states() == {"uncertain": 1}
    office.run_until_quiet()
    assert [request.is_look for request in company.requests(asked)] == [True]


def test_a_transaction_deleted_in_xero_before_we_came_back_is_known_as_deleted_and_never_made_again(
    office: Office,
) -> None:
    company = office.established()
    deleted, kept = company.moves(spends(100), spends(200))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    company.in_xero(f"bank-transactions/{company.row(deleted)['id']}/delete")

    office.world.wait(minutes=8)
    office.run_until_quiet()
    office.night()

    assert company.state(deleted) == "deleted_in_xero"
    assert company.state(kept) == "posted"
    assert company.row(deleted)["status"] == "DELETED"
    assert len(company.postings_sent()) == 1


@pytest.mark.parametrize("action", ["drop", "garbage", "truncated", "status", "redirect"])
def test_a_look_that_does_not_end_proves_nothing(office: Office, action: str) -> None:
    company = office.established()
    company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    office.world.fault(action, method="GET", times=3)  # a page is asked for in three sizes
    office.world.wait(minutes=8)

    office.turn()

    assert company.states() == {"uncertain: not_looked_up": 1}
    assert len(company.postings_sent()) == 1
    office.run_until_quiet()
    assert len(company.postings_sent()) == 1
    assert company.states() == {"posted": 1}


def test_a_look_whose_second_page_fails_proves_nothing(office: Office) -> None:
    company = office.established()
    company.moves(*(spends(100 + number) for number in range(3)))
    office.world.fault("drop", when="after")
    office.at_23()
    with pytest.MonkeyPatch.context() as small_pages:
        small_pages.setattr("clients.xero.bank_transactions.PAGE", 2)
        office.turn()
        office.world.fault("drop", method="GET", skip=1)
        office.world.wait(minutes=8)

        office.turn()

        assert company.states() == {"uncertain: not_looked_up": 3}
        office.run_until_quiet()
    assert len(company.postings_sent()) == 1


def test_a_list_that_lags_behind_by_ninety_seconds_hides_nothing_from_the_look(office: Office) -> None:
    office.world.settings(xero_list_lag=90)
    company = office.established()
    company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()

    office.world.wait(minutes=8)
    office.run_until_quiet()

    assert len(company.postings_sent()) == 1


@pytest.mark.parametrize("setting", [{"concurrent_keys": "both"}, {"batch_order": "reversed"}])
def test_what_xero_does_not_document_makes_no_difference(office: Office, setting: dict[str, str]) -> None:
    office.world.settings(**setting)
    company = office.established()
    company.moves(*(spends(100 + number) for number in range(60)))
    office.world.fault("drop", when="after")
    office.world.fault("garbage", when="after")

    office.night()

    assert company.states() == {"posted": 60}
    assert len(keys_sent(company)) == 2


def test_after_a_batch_that_xero_would_not_read_and_a_proof_of_absence_each_goes_alone(office: Office) -> None:
    company = office.established()
    first, second, third = company.moves(spends(100), spends(200), spends(300))
    error = {"Type": "ValidationException", "Elements": [{"ValidationErrors": [{"Message": "It cannot be read"}]}]}
    poison = {"tenant": company.tenant, "body": second, "text": json.dumps(error)}
    office.world.fault("status", status=400, sticky_cached=True, times=None, **poison)

    office.night()

    sizes = [len(request.urls()) for request in company.postings_sent()]
    assert sizes[0] == 3
    assert set(sizes[1:]) == {1}
    assert company.state(first) == company.state(third) == "posted"
    assert company.state(second) == "held: refused_for_now"
    company.missing[second] = "held: refused_for_now"


@pytest.mark.parametrize("which", ["ours", "the copy"])
def test_two_of_one_transaction_are_held_until_a_person_has_deleted_one(office: Office, which: str) -> None:
    company = office.established()
    [twice] = company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    row = company.row(twice)
    copy = {"account_id": row["account_id"], "amount_cents": 100, "type": "SPEND", "url": row["url"]}
    copied = company.in_xero("bank-transactions", copy)
    office.world.wait(minutes=8)
    office.run_until_quiet()
    assert company.state(twice) == "held: twice_in_xero"

    company.in_xero(f"bank-transactions/{row['id'] if which == 'ours' else copied['id']}/delete")
    office.morning()
    office.night()

    assert company.state(twice) == "posted"
    assert len(company.postings_sent()) == 1
    company.doubtful[twice] = "posted"


def test_every_attempt_has_a_key_of_its_own_and_remembers_what_it_proved(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.world.fault("status", status=500)

    office.night()

    batches = list(PostingBatch.select().order_by(PostingBatch.id))
    assert [batch.attempt for batch in batches] == [1, 2]
    assert batches[0].looked_up_found == 0
    assert batches[0].looked_up_at >= batches[0].first_sent_at + timedelta(minutes=7)
    assert batches[0].key != batches[1].key


def test_a_row_that_xeros_answer_leaves_out_is_uncertain_alone_and_then_found(office: Office) -> None:
    company = office.established()
    first, left_out, last = company.moves(spends(100), spends(200), spends(300))
    office.at_23()
    office.xero_answers(lambda rows: [row for row in rows if left_out not in row["Url"]])
    office.turn()
    assert [company.state(one) for one in (first, left_out, last)] == ["posted", "uncertain", "posted"]

    office.restart()
    office.run_until_quiet()

    assert company.states() == {"posted": 3}
    assert len(keys_sent(company)) == 1


def test_what_a_night_that_gave_up_left_uncertain_is_settled_by_the_next(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.world.fault("status", status=503, skip=1, times=3)
    office.world.fault("status", status=503, method="GET", times=None)
    office.night()
    assert [run.state for run in company.runs()][-1] == "done"
    assert company.states() == {"uncertain: not_looked_up": 1}
    office.world.end_faults()

    office.night()

    assert company.states() == {"posted": 1}
    assert len(keys_sent(company)) == 1


def test_a_list_that_lacks_a_row_does_not_prove_that_xero_lacks_it(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(100))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    office.world.wait(minutes=8)
    incomplete = [True]
    office.xero_answers(lambda rows: [] if incomplete and incomplete.pop() else rows)

    office.run_until_quiet()

    assert company.state(payment) == "posted"
    assert len(company.postings_sent()) == 1


def test_what_two_lists_lack_is_sent_again(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.world.fault("drop", when="before")
    office.at_23()
    office.turn()
    office.world.wait(minutes=8)
    asked = office.world.last_request()

    office.run_until_quiet()

    first, second = [request for request in company.requests(asked) if request.is_look]
    assert first.id < second.id < company.postings_sent(asked)[0].id
    assert company.states() == {"posted": 1}
