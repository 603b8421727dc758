"""What makes a request uncertain, and what an uncertain one may hold up."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

ANSWERS = "tests/acceptance/test_answers.py"
HELD_UP = "tests/acceptance/test_held_up.py"
LOOK_UPS = "tests/acceptance/test_look_ups.py"
PARTS = "tests/acceptance/test_verify_parts.py"
RESOURCES = "tests/unit/test_xero_resources.py"
STEPS = "tests/acceptance/test_recovery_steps.py"
HOLDS_ITSELF = "test_a_batch_that_cannot_be_looked_up_holds_itself_and_the_night_of_the_rest_is_done"
OTHERWISE = "test_a_row_that_xero_took_otherwise_than_it_was_sent_is_named_and_never_sent_again"
RACE = "test_a_contact_that_our_own_other_request_made_costs_a_second_request_by_itself_the_same_night"
SMALLER = "test_a_page_that_is_too_much_is_asked_for_again_with_fewer_rows_and_the_list_goes_on_from_there"

POSTING = (
    Mutation(
        "late_after_the_last_byte",
        "a request that has left whole is called too late to be sent",
        "clients/http.py",
        "if self.tell() < self._length and steady_seconds() > self._not_after:",
        "if steady_seconds() > self._not_after:",
        (f"{HELD_UP}::test_once_the_last_byte_has_left_it_is_never_too_late",),
    ),
    Mutation(
        "a_limit_means_not_taken",
        "a refusal at the door takes a batch back to where it was before it was sent",
        "services/send_batches.py",
        "except (RateLimited, Refused) as error:\n        store_uncertain(job, batch, error.problem)\n",
        """except (RateLimited, Refused):
        batch.state, batch.sends, batch.first_sent_at, batch.last_sent_at = "intended", 0, None, None
        with job.holding():
            store_progress(batch)
""",
        (f"{STEPS}::test_a_refusal_after_xero_did_the_work_makes_no_second_row[sqlite-a limit of the day]",),
    ),
    Mutation(
        "one_failed_look_up_ends_the_turn",
        "a batch that cannot be looked up stops its organisation",
        "services/recover_batches.py",
        """        if len(batches) == 1:
            _store_doubt(job, batches[0], error)
            return
""",
        """        if len(batches) == 1:
            raise
""",
        (f"{LOOK_UPS}::{HOLDS_ITSELF}[sqlite-a refusal]",),
    ),
    Mutation(
        "all_look_ups_fail_together",
        "an old batch that cannot be looked up keeps the newer ones uncertain",
        "services/recover_batches.py",
        """        _look_up(job, oldest_first[middle:])
        _look_up(job, oldest_first[:middle])
""",
        """        for batch in oldest_first:
            _store_doubt(job, batch, problem)
""",
        (f"{LOOK_UPS}::test_a_newer_batch_is_looked_up_although_an_older_one_cannot_be[sqlite]",),
    ),
    Mutation(
        "our_own_race_waits_a_night",
        "a refusal that our own parallel request caused is held until the next night",
        "domain/refusals.py",
        "if not alone and any(",
        "if alone and any(",
        (f"{ANSWERS}::{RACE}[sqlite]",),
    ),
    Mutation(
        "echo_is_not_compared",
        "a row that Xero took otherwise than it was sent is noted as simply posted",
        "services/store_outcome.py",
        "told = differences(sent, posting.currency, answer)",
        "told = differences(sent, posting.currency, answer)[:0]",
        (f"{ANSWERS}::{OTHERWISE}[sqlite-change0-amount 1.00 is 9.99 in Xero]",),
    ),
    Mutation(
        "unread_accounts_are_trusted",
        "an account that could not be read counts as verified, and what our record forgot of it is sent again",
        "services/verify.py",
        """                doubt_account(job.connection, account_id, since)
""",
        """                pass
""",
        (f"{PARTS}::test_an_account_that_could_not_be_read_is_verified_before_anything_of_it_is_sent[sqlite-404]",),
    ),
    Mutation(
        "listed_accounts_are_all_there_are",
        "an account that Qonto does not list while the record is verified counts as verified",
        "services/verify.py",
        "for account_id in accounts_of(job.organisation.id) - job.complete:",
        "for account_id in incomplete_accounts(job.connection):",
        (
            f"{PARTS}::test_an_account_that_qonto_did_not_list_is_verified_before_anything_of_it_is_sent[sqlite-missing]",
        ),
    ),
    Mutation(
        "awaited_rows_are_verified",
        "an account counts as verified although a transaction of it could not be read",
        "services/verify.py",
        "set(read_whole) - incomplete_accounts(job.connection)",
        "set(read_whole)",
        (f"{PARTS}::test_a_transaction_that_could_not_be_read_is_verified_before_it_is_sent[sqlite-unreadable]",),
    ),
    Mutation(
        "unverified_accounts_are_sent",
        "what is due of a doubted account is sent although the look at Xero failed",
        "services/verify.py",
        "        job.left_out |= doubted.keys()\n",
        "",
        (f"{PARTS}::test_a_doubted_account_that_cannot_be_looked_up_holds_up_no_other[sqlite-400]",),
    ),
    Mutation(
        "the_neighbours_are_named",
        "a verification names transactions of an organisation that was connected to the same Xero organisation before",
        "models/posting.py",
        "    return of_tenant(tenant_id) & (Posting.organisation_id == organisation_id)\n",
        "    return of_tenant(tenant_id) & (Posting.organisation_id != '')\n",
        (f"{PARTS}::test_a_verification_names_nothing_of_an_organisation_that_was_connected_before[sqlite]",),
    ),
    Mutation(
        "pages_never_get_smaller",
        "a list whose pages are too large can never be read",
        "clients/xero/bank_transactions.py",
        "            if smaller is None or not _fewer_rows_may_help(error):\n",
        "            if smaller is None or _fewer_rows_may_help(error) is not None:\n",
        (
            f"{RESOURCES}::test_a_page_that_is_too_much_is_asked_for_again_with_fewer_rows_and_the_list_goes_on_from_there",
        ),
    ),
)
