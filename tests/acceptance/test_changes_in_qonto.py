"""What Qonto changes after we read it: before sending the newest version counts, afterwards it is noted, not edited."""

from __future__ import annotations

from typing import Any

import pytest

from models.bank_account import Cursor
from models.sync_run import read_again as run_again
from services.check import check_over
from services.explain import explain
from services.prove_balance import AccountBalance, prove_balance
from services.view_night import view_night
from tests.acceptance.world import Company, Office, Row, read_log, spends

pytestmark = pytest.mark.acceptance

LOCKED = {"period_lock_date": "2099-01-01"}
OPEN = {"period_lock_date": None}
NO_BALANCE: Row = {"settled_balance": None, "settled_balance_cents": None}


def shows(office: Office, transaction_id: str, **changes: Any) -> None:
    """Qonto shows one row otherwise, and the account's balance with it."""
    office.qonto_says(lambda row: row | changes if row["id"] == transaction_id else row)


def touched(company: Company, transaction_id: str) -> None:
    company.at_qonto(f"transactions/{transaction_id}", {"note": "looked at"})


def proof(office: Office, company: Company) -> AccountBalance:
    [found] = prove_balance(company.connection, office.workbench)
    return found


def held_by_a_lock_date(office: Office, **row: Any) -> tuple[Company, str]:
    company = office.established()
    company.in_xero("lock-date", LOCKED)
    [payment] = company.moves(spends(1_000, **row))
    office.night()
    assert company.state(payment) == "held: lock_date"
    company.in_xero("lock-date", OPEN)
    return company, payment


def test_what_is_held_is_sent_with_the_texts_that_qonto_has_now(office: Office) -> None:
    company, payment = held_by_a_lock_date(office, label="FRAIS")
    company.at_qonto(f"transactions/{payment}", {"label": "Acme, enriched", "clean_counterparty_name": "Acme"})

    office.night()

    assert company.row(payment)["contact"] == "Acme"
    assert "changed in Qonto: label, counterparty" in told(payment)


def test_what_is_held_is_sent_with_the_amount_that_qonto_has_now(office: Office) -> None:
    company, payment = held_by_a_lock_date(office)
    link = company.posting(payment).url
    company.at_qonto(f"transactions/{payment}/restate", {"amount_cents": 1_500})

    office.night()

    assert company.row(payment)["cents"] == 1_500
    assert "from -10.00 EUR to -15.00 EUR" in told(payment)
    assert company.row(payment)["url"] == link
    assert proof(office, company).is_equal


def test_what_becomes_nothing_before_it_is_sent_is_left_out(office: Office) -> None:
    company, payment = held_by_a_lock_date(office)
    touched(company, payment)
    shows(office, payment, amount=0, amount_cents=0)

    office.night()

    assert company.state(payment) == "excluded: zero_amount"
    office.restart()
    touched(company, payment)
    office.night()
    assert company.state(payment) == "posted"


def test_an_older_version_that_is_listed_late_overwrites_no_newer_one(office: Office) -> None:
    company, payment = held_by_a_lock_date(office, label="First")
    before = company.posting(payment).updated_at
    company.at_qonto(f"transactions/{payment}", {"label": "Second", "clean_counterparty_name": "Second"})
    company.in_xero("lock-date", LOCKED)
    office.night()
    company.in_xero("lock-date", OPEN)
    shows(office, payment, label="First", clean_counterparty_name="First", updated_at=before.isoformat())

    office.night()

    assert company.row(payment)["contact"] == "Second"


def test_an_amount_that_changes_after_it_was_sent_is_noted_and_named_and_never_edited(office: Office) -> None:
    company = office.established()
    edited, other = company.moves(spends(1_000), spends(300))
    office.night()
    company.at_qonto(f"transactions/{edited}/restate", {"amount_cents": 1_500})
    [named] = [one for one in proof(office, company).differences if one.transaction_id == edited]
    assert (named.cents, named.why) == (-500, "changed in Qonto")
    asked = office.world.last_request()

    office.night()

    change = "from -10.00 EUR to -15.00 EUR"
    assert change in company.runs()[-2].reason + company.runs()[-1].reason
    assert change in told(edited)
    assert company.row(edited)["cents"] == 1_000
    assert not [request for request in company.requests(asked) if request.method in {"POST", "PUT", "DELETE"}]
    [named] = [one for one in proof(office, company).differences if one.transaction_id == edited]
    assert (named.cents, named.why) == (-500, f"changed in Qonto: {change}")
    assert not check_over(company.connection, office.workbench).holds
    problems = company.told("sync.problem")[-1]["data"]["problems"]
    assert [(one["code"], one["transactions"]) for one in problems if one["code"] == "changed_in_qonto"] == [
        ("changed_in_qonto", 1)
    ]
    assert company.state(other) == "posted"
    assert proof(office, company).is_proved
    company.at_qonto(f"transactions/{edited}/restate", {"amount_cents": 1_000})


def test_a_change_is_told_once_and_its_end_is_noted_too(office: Office) -> None:
    company = office.established()
    [edited] = company.moves(spends(1_000))
    office.night()
    company.at_qonto(f"transactions/{edited}/restate", {"amount_cents": 1_500})
    office.night()
    so_far = len(company.told("sync.problem"))
    office.night()
    assert len(company.told("sync.problem")) == so_far
    company.at_qonto(f"transactions/{edited}/restate", {"amount_cents": 1_000})

    office.night()

    assert "in Qonto again as it was sent" in told(edited)
    assert proof(office, company).is_equal


def test_texts_that_change_after_it_was_sent_are_part_of_its_story_alone(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(1_000, label="FRAIS"))
    office.night()
    company.at_qonto(f"transactions/{payment}", {"label": "Acme"})
    office.night()

    assert "changed in Qonto after it was sent: label" in told(payment)
    assert company.runs()[-1].reason == ""
    assert company.told("sync.problem") == []
    assert proof(office, company).is_equal


def test_a_change_of_what_is_never_sent_is_no_change(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(1_000))
    office.night()
    steps = told(payment)
    company.at_qonto(
        f"transactions/{payment}", {"note": "for the accountant", "category": "other", "attachment_ids": ["a"]}
    )

    office.night()

    assert told(payment) == steps


def test_a_change_that_comes_while_it_is_on_its_way_is_noted_once_it_is_there(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(1_000))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    assert company.state(payment) == "uncertain"
    company.at_qonto(f"transactions/{payment}/restate", {"amount_cents": 1_500})
    run_again(company.connection_id)
    office.run_until_quiet()
    assert company.posting(payment).changed_to == ""

    office.night()

    assert "-15.00 EUR" in company.posting(payment).changed_to
    company.at_qonto(f"transactions/{payment}/restate", {"amount_cents": 1_000})


def test_what_qonto_takes_back_after_it_was_sent_is_noted_and_named(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main", "balance_cents": 100_000}])
    back, stays = company.moves(spends(4_730), spends(300))
    office.night()
    office.world.wait(hours=5)
    company.at_qonto(f"transactions/{back}/take-back")

    office.night()

    assert company.state(back) == "posted"
    assert f"Qonto took {back} back" in company.runs()[-1].reason
    shown = [(one.state, one.code, one.count) for one in view_night(office.world.now).problems]
    assert shown == [("noted", "taken_back_in_qonto", 1)]
    assert "Qonto took it back after it was sent" in told(back)
    [named] = proof(office, company).differences
    assert (named.transaction_id, named.cents, named.why) == (back, 4_730, "taken back in Qonto")
    assert proof(office, company).is_proved
    assert not check_over(company.connection, office.workbench).holds
    problems = company.told("sync.problem")[-1]["data"]["problems"]
    assert [(one["code"], one["transactions"]) for one in problems] == [("taken_back_in_qonto", 1)]
    office.night()
    assert company.runs()[-1].reason == ""
    company.in_xero(f"bank-transactions/{company.row(back)['id']}/delete")
    office.morning()
    assert proof(office, company).is_equal
    assert company.state(stays) == "posted"
    office.companies.remove(company)  # the world says at the end that a deleted row should never have been there


def test_what_qonto_takes_back_before_it_is_sent_is_left_out(office: Office) -> None:
    company, payment = held_by_a_lock_date(office)
    office.world.wait(hours=5)
    company.at_qonto(f"transactions/{payment}/take-back")

    office.night()

    assert company.state(payment) == "excluded: taken_back_before_sending"
    assert company.postings_sent() == [] or payment not in company.row_ids()
    assert proof(office, company).is_equal


def test_a_row_that_a_list_lacks_while_the_balance_counts_it_is_not_taken_back(office: Office) -> None:
    company = office.established()
    hidden, _ = company.moves(spends(100), spends(300))
    office.night()
    office.world.wait(hours=5)
    company.moves(spends(7))
    office.qonto_lists(lambda rows: [row for row in rows if row["id"] != hidden])
    late = company.moves(spends(50))
    office.qonto_lists(lambda rows: [row for row in rows if row["id"] not in {hidden, *late}])

    office.night()

    assert company.posting(hidden).changed_to == ""
    assert "taken back" not in told(hidden)
    office.restart()
    office.night()


def test_a_row_that_was_never_listed_until_long_afterwards_is_found_by_the_balance(office: Office) -> None:
    company = office.established()
    [hidden] = company.moves(spends(100))
    office.world.wait(hours=3)
    company.moves(spends(300))
    office.qonto_lists(lambda rows: [row | NO_BALANCE for row in rows if row["id"] != hidden])
    office.night()
    assert company.state(hidden) == "unknown"
    assert company.told("sync.problem") == []
    office.night()
    assert "its balance in Qonto differs by -1.00 EUR" in company.runs()[-1].reason
    [problem] = company.told("sync.problem")[-1]["data"]["problems"]
    assert (problem["code"], problem["accounts"]) == ("balance_not_explained", 1)
    office.restart()
    company.moves(spends(1))

    office.night()

    assert company.state(hidden) == "posted"
    assert company.runs()[-1].reason == ""
    assert proof(office, company).is_equal


def test_a_difference_that_stays_is_read_again_on_few_nights(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.night()
    counts = {"balance_cents": 77, "balance": 0.77}
    office.qonto_lists_accounts(lambda accounts: [account | counts for account in accounts])
    for _ in range(5):
        office.night()
    office.at_23()
    asked = office.world.last_request()

    office.run_until_quiet()

    lists = [request for request in read_log(office.world, asked) if request.path == "/v2/transactions"]
    assert len(lists) == 1
    assert "differs by" in company.runs()[-1].reason


def test_an_answer_without_a_balance_ends_no_known_difference(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    company = office.established()
    [hidden] = company.moves(spends(100))
    office.qonto_lists(lambda rows: [row | NO_BALANCE for row in rows if row["id"] != hidden])
    for _ in range(2):
        office.night()

    with monkeypatch.context() as patch:
        patch.setattr("services.account_drift._balance_now", lambda *_: None)
        office.night()

    assert "its balance in Qonto differs by -1.00 EUR" in company.runs()[-1].reason
    [cursor] = Cursor.select()
    assert (cursor.drift_cents, cursor.drift_since is None) == (-100, False)
    office.restart()
    office.night()
    assert company.state(hidden) == "posted"


def test_a_closed_account_of_which_a_row_was_taken_back_is_read_for_good(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Old"}])
    old = company.account_ids[1]
    [back] = company.moves(spends(4_730, account_id=old))
    office.night()
    office.world.wait(hours=5)
    company.at_qonto(f"transactions/{back}/take-back")
    company.at_qonto(f"accounts/{old}/close")
    for _ in range(2):
        office.night()
    office.at_23()
    asked = office.world.last_request()

    office.run_until_quiet()

    lists = [request for request in read_log(office.world, asked) if request.path == "/v2/transactions"]
    assert len(lists) == 1
    office.companies.remove(company)  # the world says at the end that its row should not be in Xero any more


def told(transaction_id: str) -> str:
    [story] = explain(transaction_id)
    return "\n".join(step.what for step in story.steps)
