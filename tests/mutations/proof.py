"""What was seen and not stored, and what a proof rests on."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

LATE = "tests/acceptance/test_late_settlements.py"
CHANGES = "tests/acceptance/test_changes_in_qonto.py"
DAYS = "tests/acceptance/test_days_between.py"
ANY = "tests/acceptance/test_proof_of_any_subset.py"

PROOF = (
    Mutation(
        "passed_and_forgotten",
        "a transaction that settles late is never read again",
        "services/store_transactions.py",
        "        await_transactions(job.tenant_id, account.id, awaited, now)\n",
        "",
        (f"{LATE}::test_a_row_that_is_whole_only_later_is_sent_then[sqlite-True-without_settlement]",),
    ),
    Mutation(
        "cursor_in_the_future",
        "one row dated in the future hides all that follow",
        "services/store_transactions.py",
        "min(last, read_until)",
        "last",
        (f"{LATE}::test_a_row_dated_in_the_future_hides_nothing_that_follows[sqlite]",),
    ),
    Mutation(
        "balance_proves_itself",
        "the opening balance is whatever makes the balances equal",
        "services/prove_balance.py",
        "            opening=opening.cents,\n",
        "            opening=account.balance_cents - new.to_come - xero,\n",
        (f"{ANY}::test_no_subset_of_an_account_that_is_not_shown_whole_passes_for_proved",),
    ),
    Mutation(
        "check_without_money",
        "the check holds while an account's money does not add up",
        "services/check.py",
        'Line("I25", truth.unproved)',
        'Line("I25", [])',
        (f"{ANY}::test_no_subset_of_an_account_that_is_not_shown_whole_passes_for_proved",),
    ),
    Mutation(
        "free_of_charge_is_unknown",
        "a local amount of nothing becomes the account's amount",
        "services/store_transactions.py",
        "row.amount_cents if row.local_amount_cents is None else row.local_amount_cents",
        "row.local_amount_cents or row.amount_cents",
        ("tests/acceptance/test_import.py::test_a_shop_that_charged_nothing_in_its_own_currency_is_stored_so[sqlite]",),
    ),
    Mutation(
        "recall_is_a_payment",
        "money that comes back is written as money that goes out",
        "domain/bank_transaction.py",
        '"RECEIVE" if payable.side == "credit" else "SPEND"',
        '"RECEIVE" if payable.side == "credit" and payable.operation_type != "recall" else "SPEND"',
        ("tests/unit/test_bank_transaction.py::test_the_direction_of_any_operation_is_that_of_its_side",),
    ),
    Mutation(
        "observed_until_the_end",
        "what a person deletes during a long look is never seen",
        "services/observe_xero.py",
        "observed_until=started",
        "observed_until=job.now()",
        (
            "tests/acceptance/test_deletions.py::test_what_a_person_deletes_during_the_look_is_seen_by_the_next_one[sqlite]",
        ),
    ),
    Mutation(
        "an_older_version_counts",
        "a version that Qonto lists late overwrites the newer one",
        "services/store_changes.py",
        'if is_older(posting.updated_at, given["updated_at"], job.now()):',
        "if not given:",
        (f"{CHANGES}::test_an_older_version_that_is_listed_late_overwrites_no_newer_one[sqlite]",),
    ),
    Mutation(
        "changed_on_its_way",
        "what is on its way to Xero is overwritten by what was not sent",
        "domain/changes.py",
        'if state in {"sending", "uncertain"}:',
        'if state == "sending":',
        (f"{CHANGES}::test_a_change_that_comes_while_it_is_on_its_way_is_noted_once_it_is_there[sqlite]",),
    ),
    Mutation(
        "the_day_between_is_lost",
        "what settled between two connections is never sent",
        "services/connect.py",
        "starts_at=wishes.starts_at or (former.starts_at if former else now),",
        "starts_at=wishes.starts_at or now,",
        (f"{DAYS}::test_what_settled_before_and_between_two_connections_is_sent_by_the_second[sqlite]",),
    ),
    Mutation(
        "a_lost_day_is_fine",
        "the check holds although a day between two connections is lost",
        "services/check_qonto.py",
        "(row.settled_at < connection.starts_at and was_elsewhere)",
        "row.id not in stored",
        (f"{DAYS}::test_a_day_that_was_lost_between_two_connections_is_called_lost[sqlite]",),
    ),
    Mutation(
        "absent_is_taken_back",
        "a transaction that one list lacks is taken for reversed",
        "services/account_drift.py",
        "if on_their_way or sum(map(_moved, vanished)) != -drift:",
        "if on_their_way:",
        (f"{CHANGES}::test_a_row_that_a_list_lacks_while_the_balance_counts_it_is_not_taken_back[sqlite]",),
    ),
)
