"""How a batch is sent, what its answer means, and what a look in Xero proves."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

RECOVERY = "tests/acceptance/test_recovery.py"
STEPS = "tests/acceptance/test_recovery_steps.py"
HOLDS = "tests/acceptance/test_holds.py"
BETWEEN = "tests/acceptance/test_between_commits.py"
RULES = "tests/unit/test_recovery.py"
RESOURCES = "tests/unit/test_xero_resources.py"

INTENT_FIRST = """    if not _store_sending(job, batch):
        return
    body, key = bytes(batch.body), batch.key

    def call() -> Answer:
        hit("presend")
        answer = put_bank_transactions(job.xero, token, body, key, not_after)
        hit("answered")
        return answer

    job.in_flight.start(Sending(batch, token), call)
"""
INTENT_LAST = """    body, key = bytes(batch.body), batch.key
    answer = put_bank_transactions(job.xero, token, body, key, not_after)
    if not _store_sending(job, batch):
        return
    job.in_flight.start(Sending(batch, token), lambda: answer)
"""
NEVER_SENT = """except ({}):
        batch.state, batch.sends, batch.first_sent_at, batch.last_sent_at = "intended", 0, None, None
        with job.holding():
            store_progress(batch)"""
BY_LINK = "by_url = {answer.url: answer for answer in answers} | dict("
BY_POSITION = "by_url = {one.url: answer for one, answer in zip(everybody, answers, strict=False)} | dict("

SENDING = (
    Mutation(
        "intent_after_post",
        "that a request goes out is stored after it went out",
        "services/send_batches.py",
        INTENT_FIRST,
        INTENT_LAST,
        (f"{BETWEEN}::test_what_a_dead_worker_had_sent_is_there_once_however_late_the_next_one_comes[sqlite]",),
    ),
    Mutation(
        "new_key_each_send",
        "a replay goes out under another Idempotency-Key",
        "services/send_batches.py",
        "body, key = bytes(batch.body), batch.key",
        'body, key = bytes(batch.body), f"{batch.key[:32]}{batch.sends}"',
        (
            f"{RECOVERY}::test_what_xero_took_is_replayed_under_its_key_and_answered_with_the_rows_of_the_first_time[sqlite]",
        ),
    ),
    Mutation(
        "no_wait_window",
        "a look concludes as soon as nothing of ours is on its way",
        "domain/recovery.py",
        "proof_in = max(PROOF_AFTER - youngest, quiet_in)",
        "proof_in = quiet_in",
        (f"{RULES}::test_each_moment_after_the_first_send_has_one_right_step",),
    ),
    Mutation(
        "proof_after_one_minute",
        "a look concludes while a late commit may still come",
        "domain/recovery.py",
        "PROOF_AFTER = timedelta(minutes=7)",
        "PROOF_AFTER = timedelta(minutes=1)",
        (f"{RULES}::test_each_moment_after_the_first_send_has_one_right_step",),
    ),
    Mutation(
        "replays_for_ten_minutes",
        "a batch is sent again after Xero has forgotten its key",
        "domain/recovery.py",
        "REPLAY_WINDOW = timedelta(minutes=5)",
        "REPLAY_WINDOW = timedelta(minutes=10)",
        (f"{RULES}::test_each_moment_after_the_first_send_has_one_right_step",),
    ),
    Mutation(
        "sends_however_late",
        "a process that was stopped sends what it decided long ago",
        "domain/recovery.py",
        "SEND_WITHIN = timedelta(seconds=5)",
        "SEND_WITHIN = timedelta(days=365)",
        (f"{BETWEEN}::test_a_worker_that_was_stopped_between_its_commit_and_the_wire_sends_nothing[sqlite]",),
    ),
    Mutation(
        "look_up_passes_over_deleted",
        "a row that a person deleted counts as absent, and is made again",
        "services/look_up.py",
        " and row.bank_transaction_id not in former:",
        " and row.bank_transaction_id not in former and not row.is_deleted:",
        (
            f"{RECOVERY}::test_a_transaction_deleted_in_xero_before_we_came_back_is_known_as_deleted_and_never_made_again[sqlite]",
        ),
    ),
    Mutation(
        "list_without_deleted",
        "Xero is asked for live rows only",
        "clients/xero/bank_transactions.py",
        """params = {"order": "BankTransactionID",""",
        """params = {"where": 'Status=="AUTHORISED"', "order": "BankTransactionID",""",
        (
            f"{RECOVERY}::test_a_transaction_deleted_in_xero_before_we_came_back_is_known_as_deleted_and_never_made_again[sqlite]",
        ),
    ),
    Mutation(
        "one_page_is_a_proof",
        "a look concludes from a list that goes on",
        "clients/xero/bank_transactions.py",
        "return page >= pages",
        "return True",
        (f"{RESOURCES}::test_a_list_is_read_to_the_last_page_that_xero_counts",),
    ),
    Mutation(
        "looks_up_what_is_to_be_sent",
        "what may be sent again by now is looked up instead",
        "services/recover_batches.py",
        "to_look_up = [batch for batch, step in steps if isinstance(step, LookUp)]",
        "to_look_up = [batch for batch, step in steps if not isinstance(step, Wait)]",
        (
            f"{STEPS}::test_a_batch_of_which_no_byte_has_left_is_not_looked_up[sqlite]",
            f"{STEPS}::test_a_batch_that_may_be_sent_again_by_now_is_not_looked_up_instead[sqlite]",
        ),
    ),
    Mutation(
        "no_answer_means_no",
        "a request without an answer counts as never processed",
        "services/send_batches.py",
        "except (Temporary, TooLate) as error:\n        store_uncertain(job, batch, error.problem)",
        NEVER_SENT.format("Temporary, TooLate"),
        (f"{RECOVERY}::test_nothing_is_sent_and_nothing_looked_up_between_five_and_seven_minutes[sqlite]",),
    ),
    Mutation(
        "matched_by_position",
        "the first row answered stands for the first row sent",
        "services/store_outcome.py",
        BY_LINK,
        BY_POSITION,
        (f"{RECOVERY}::test_a_row_that_xeros_answer_leaves_out_is_uncertain_alone_and_then_found[sqlite]",),
    ),
    Mutation(
        "summarize_errors",
        "one row that Xero refuses holds the other 49",
        "clients/xero/bank_transactions.py",
        '{"summarizeErrors": "false"}',
        '{"summarizeErrors": "true"}',
        (
            f"{RESOURCES}::test_a_batch_is_sent_byte_for_byte_so_that_one_bad_row_holds_no_other",
            f"{HOLDS}::test_one_bad_row_never_holds_the_others_of_its_batch[sqlite]",
        ),
    ),
)
