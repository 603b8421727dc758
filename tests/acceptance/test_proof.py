"""The proof, the plan and the story: what a person may ask, and what a night then does."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from clients.http import Http
from services.check import check_over
from services.explain import explain
from services.plan_night import plan_night
from services.prove_balance import AccountBalance, prove_balance
from tests.acceptance.hostile import AN_EMPTY_LIST, Call, OneHostileAnswer
from tests.acceptance.world import Company, Office, Row, receives, spends

pytestmark = pytest.mark.acceptance


def named(proof: AccountBalance) -> dict[str, tuple[int, str]]:
    """Each difference by the transaction's id, or by Xero's where Qonto has none."""
    return {d.transaction_id or d.bank_transaction_id: (d.cents, d.why) for d in proof.differences}


def proofs(office: Office, company: Company) -> list[AccountBalance]:
    return prove_balance(company.connection, office.workbench)


def test_after_a_night_the_balances_are_equal_account_by_account(office: Office) -> None:
    accounts = [{"name": "Main", "balance_cents": 1_000_000}, {"name": "Taxes", "balance_cents": -500}]
    company = office.connected(accounts=accounts)
    company.moves(receives(5_000), spends(1_234), spends(250, account_id=company.account_ids[1]))

    office.night()

    main, taxes = proofs(office, company)
    assert (main.qonto, main.opening, main.xero) == (1_003_766, 1_000_000, 3_766)
    assert (taxes.qonto, taxes.opening, taxes.xero) == (-750, -500, -250)
    assert main.is_equal
    assert taxes.is_equal


def test_every_difference_is_named_by_its_id_and_nothing_stays_unexplained(office: Office) -> None:
    company = office.company()
    office.connect(company, money_in_code="200", money_out_code="wrong", fees_code="404")
    deleted, edited, fine, held = company.moves(receives(100), receives(200), receives(400), spends(800))
    office.night()
    account = company.bank_accounts()[0]["id"]
    company.in_xero(f"bank-transactions/{company.row(deleted)['id']}/delete")
    company.in_xero(f"bank-transactions/{company.row(edited)['id']}/edit", {"url": "https://example.com"})
    by_hand = company.in_xero("bank-transactions", {"account_id": account, "amount_cents": 1_600, "type": "SPEND"})

    [proof] = proofs(office, company)

    edited_row = next(row for row in company.rows() if row["url"] == "https://example.com")["id"]
    assert named(proof) == {
        deleted: (100, "deleted in Xero"),
        edited_row: (-200, "not from Qonto"),
        edited: (200, "in no account of ours in Xero any more"),
        held: (-800, "held: account_code"),
        by_hand["id"]: (1_600, "not from Qonto"),
    }
    assert proof.unexplained == 0
    assert not proof.is_equal
    assert fine not in named(proof)
    company.in_xero(f"bank-transactions/{edited_row}/edit", {"url": f"https://app.qonto.com/transactions/{edited}"})
    company.missing[held] = "held: account_code"


def test_a_copy_made_by_hand_is_named_as_twice(office: Office) -> None:
    company = office.connected()
    [payment] = company.moves(spends(100))
    office.night()
    row = company.row(payment)
    copy = {"account_id": row["account_id"], "amount_cents": 100, "type": "SPEND", "url": row["url"]}
    company.in_xero("bank-transactions", copy)

    [proof] = proofs(office, company)

    assert named(proof) == {payment: (100, "twice in Xero")}
    assert proof.is_proved


def test_the_proof_spans_both_generations_of_an_account_made_again(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100))
    office.night()
    company.in_xero(f"accounts/{company.bank_accounts()[0]['id']}/archive")
    company.moves(spends(200))
    office.night()

    [proof] = proofs(office, company)

    assert proof.is_equal
    assert proof.xero == -300


def test_the_story_of_a_transaction_is_told_in_order(office: Office) -> None:
    company = office.established()
    [payment] = company.moves(spends(4_730, "Nube Hosting"))
    office.xero_takes_time()
    company.in_xero("lock-date", {"period_lock_date": "2099-01-01"})
    office.night()
    company.in_xero("lock-date", {"period_lock_date": None})
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()
    office.world.wait(minutes=8)
    office.run_until_quiet()
    company.in_xero(f"bank-transactions/{company.row(payment)['id']}/delete")
    office.morning()

    [story] = explain(payment)

    told = [step.what for step in story.steps]
    first_night = ["read", "sending in batch 1", "batch 1 (attempt 1, 1 transactions) first sent", "held"]
    second_night = ["due (let go)", "sending in batch 2", "first sent", "uncertain", "looked in Xero: 1 of", "posted"]
    expected = [*first_night, *second_night, "deleted in xero"]
    assert [words in step for words, step in zip(expected, told, strict=True)] == [True] * len(expected)
    assert (story.amount, story.state) == ("-47.30 EUR", "deleted_in_xero")
    assert [step.at for step in story.steps] == sorted(step.at for step in story.steps)
    assert explain(company.row(payment)["id"]) == [story]


def test_a_plan_says_what_the_night_then_does_and_writes_nothing(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    main, taxes = company.account_ids
    opened = company.opens_account("Salaries")
    company.in_xero(f"accounts/{company.bank_accounts(name='Taxes')[0]['id']}/archive")
    company.moves(*(spends(100, account_id=main) for _ in range(60)), spends(0, account_id=main))
    company.moves(receives(700, account_id=taxes), spends(300, account_id=opened))
    asked = office.world.last_request()

    plan = plan_night(company.connection, office.workbench)

    assert [(a.in_xero, a.to_send, a.cents, a.excluded) for a in plan.accounts] == [
        ("there (generation 1)", 60, -6_000, {"zero_amount": 1}),
        ("to be created (generation 2)", 1, 700, {}),
        ("to be created (generation 1)", 1, -300, {}),
    ]
    assert {request.method for request in company.requests(asked)} == {"GET"}
    assert company.states() == Counter()
    before_night = office.world.last_request()
    office.night()
    run = company.runs()[-1]
    writes = list(company.postings_sent(before_night))
    assert (run.posted, run.accounts_created, len(writes)) == (62, 2, plan.writes)


def test_a_plan_counts_what_still_waits(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100), spends(200))
    office.world.fault("drop", when="after")
    office.at_23()
    office.turn()

    plan = plan_night(company.connection, office.workbench)

    assert plan.waiting == {"uncertain": 2}
    assert (plan.writes, plan.accounts[0].to_send) == (0, 0)
    office.run_until_quiet()


def test_an_account_that_nothing_happened_on_is_shown_too(office: Office) -> None:
    company = office.connected(accounts=[{"name": "Main", "balance_cents": 700}])

    [proof] = proofs(office, company)

    assert (proof.qonto, proof.opening, proof.xero, proof.is_equal) == (700, 700, 0, True)


def test_an_account_whose_transactions_qonto_refuses_is_not_proved_and_breaks_the_check(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.night()
    refusal: Row = {"status": 403, "service": "qonto", "method": "GET", "path": "/transactions$"}
    office.world.fault("status", times=None, **refusal)

    [proof] = proofs(office, company)

    assert "403" in proof.problem
    assert not proof.is_equal
    checked = check_over(company.connection, office.workbench)
    assert not checked.holds
    assert [line.name for line in checked.invariants if not line.holds] == ["I25"]


def test_an_account_whose_balance_qonto_does_not_show_is_not_proved(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.night()
    office.qonto_lists_accounts(lambda them: [one | {"balance": None, "balance_cents": None} for one in them])

    [proof] = proofs(office, company)

    assert "does not show" in proof.problem
    assert not proof.is_equal
    checked = check_over(company.connection, office.workbench)
    assert any("does not show the balance" in note for note in checked.notes)


def test_an_account_that_qonto_lists_no_more_is_not_proved(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    main, taxes = company.account_ids
    company.moves(spends(100, account_id=main), spends(200, account_id=taxes))
    office.night()
    office.qonto_lists_accounts(lambda accounts: [account for account in accounts if account["id"] != taxes])

    proved = {proof.bank_account_id: proof.is_equal for proof in proofs(office, company)}

    assert proved == {main: True, taxes: False}


def test_an_account_that_cannot_be_read_is_not_proved(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    main, taxes = company.account_ids
    office.qonto_lists_accounts(lambda them: [one | {"status": 7} if one["id"] == taxes else one for one in them])

    proved = {proof.bank_account_id: proof.is_equal for proof in proofs(office, company)}

    assert proved == {main: True, taxes: False}
    assert not check_over(company.connection, office.workbench).holds


def test_the_opening_balance_is_that_after_the_last_row_before_the_start(office: Office) -> None:
    company = office.company(accounts=[{"name": "Main", "balance_cents": 1_000}])
    company.moves(receives(500), spends(20))
    office.world.wait(hours=5)
    start = office.world.now
    company.moves(spends(3), spends(4))
    office.world.wait(hours=5)
    office.connect(company, starts_at=start)
    office.night()

    [proof] = proofs(office, company)

    assert (proof.opening, proof.xero, proof.is_equal) == (1_480, -7, True)


def test_of_what_has_not_settled_the_proof_counts_only_what_qonto_counts(office: Office) -> None:
    company = office.established()
    [counted] = company.moves(spends(100))
    office.qonto_says(lambda row: row | {"settled_at": None})
    [proof] = proofs(office, company)
    assert (named(proof)[counted][0], proof.unexplained) == (-100, 0)
    office.qonto_lists(
        lambda rows: [
            *rows,
            *(row | {"id": "never-counted", "settled_at": None} for row in rows if row["id"] == counted),
        ]
    )

    [proof] = proofs(office, company)

    assert (named(proof)["never-counted"][0], proof.unexplained) == (0, 0)
    assert not proof.is_equal
    office.restart()
    office.night()


def test_an_opening_balance_does_not_rest_on_one_empty_list(office: Office, http: Http) -> None:
    company = office.company()
    company.moves(receives(5_000))
    office.world.wait(days=3)
    office.connect(company, starts_at=office.world.now - timedelta(days=1))
    company.moves(spends(100))
    first = Call("GET", "/qonto/v2/transactions", 1)
    office.workbench = replace(office.workbench, http=OneHostileAnswer(http, first, AN_EMPTY_LIST))

    office.night()

    [proof] = proofs(office, company)
    assert (proof.opening, proof.is_equal) == (5_000, True)


def test_a_row_of_xeros_that_cannot_be_read_leaves_only_its_own_account_unproved(office: Office) -> None:
    company = office.established(accounts=[{"name": "Main"}, {"name": "Taxes"}])
    company.moves(spends(100), spends(200, account_id=company.account_ids[1]))
    office.night()
    main = company.bank_accounts(name="Main")[0]["id"]

    def odd(rows: list[Row]) -> list[Row]:
        return [row | {"Total": "a lot"} if row["BankAccount"]["AccountID"] == main else row for row in rows]

    office.xero_answers(odd)

    proved = {proof.name: proof for proof in proofs(office, company)}

    assert "cannot be read" in proved["Main"].problem
    assert not proved["Main"].is_equal
    assert proved["Taxes"].is_equal
    office.restart()
