"""The proof, the plan and the story: what a person may ask, and what a night then does."""

from __future__ import annotations

from collections import Counter

import pytest

from services.explain import explain
from services.plan_night import plan_night
from services.prove_balance import AccountBalance, prove_balance
from tests.acceptance.world import Company, Office, receives, spends

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
