"""What operators do and see, broken on purpose."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

REPLAY_TESTS = "tests/acceptance/test_replay.py"
VERIFY_TESTS = "tests/acceptance/test_verify.py"
NIGHT_TESTS = "tests/integration/test_view_night.py"
FLEET_TESTS = "tests/integration/test_check_fleet.py"

OPERATIONS = (
    Mutation(
        "deleted_row_is_an_answer",
        "what a person wants made again is found as the row that another deleted",
        "services/look_up.py",
        " and row.bank_transaction_id not in former:",
        ":",
        (
            f"{REPLAY_TESTS}::test_a_look_at_everything_does_not_take_the_deleted_row_for_what_is_to_be_made_again[sqlite]",
        ),
    ),
    Mutation(
        "replay_of_doubles",
        "what stands twice in Xero is sent once more",
        "domain/replay.py",
        "NEVER_AGAIN = {Held.TWICE_IN_XERO, Held.UNRECOGNISED, Held.CURRENCY_DIFFERS}",
        "NEVER_AGAIN: set[str] = set()",
        ("tests/unit/test_replay.py::test_a_transaction_is_sent_again_only_if_xero_cannot_have_it",),
    ),
    Mutation(
        "replay_left_for_the_night",
        "what is sent again while its run ends waits for the next night",
        "services/sync_organisation.py",
        "            and is_any_due(job.connection.id, job.left_out)\n",
        "            and False\n",
        (f"{REPLAY_TESTS}::test_what_is_sent_again_while_its_run_ends_is_not_left_for_the_night[sqlite]",),
    ),
    Mutation(
        "sent_before_verified",
        "a doubted record is sent by before it was verified",
        "services/verify_books.py",
        "        doubt_record(connection, first - MARGIN)\n",
        "",
        (f"{VERIFY_TESTS}::test_what_the_record_has_forgotten_is_found_in_xero_and_taken_into_it[sqlite]",),
    ),
    Mutation(
        "night_counts_as_verification",
        "a night that began first takes back a doubt before everything was read again",
        "models/organisation.py",
        "        AND kind = '{RunKind.VERIFICATION}' AND state",
        "        AND FALSE AND state",
        (f"{VERIFY_TESTS}::test_a_night_that_begins_first_does_not_count_as_the_verification[sqlite]",),
    ),
    Mutation(
        "unknown_kind_is_a_sync",
        "a run of a kind that only a later release knows is done as a sync",
        "services/steps.py",
        "    steps = STEPS.get(job.run.kind)\n",
        "    steps = STEPS.get(job.run.kind, _sync)\n",
        (f"{VERIFY_TESTS}::test_a_run_of_a_kind_that_only_a_later_release_knows_waits_for_it[sqlite]",),
    ),
    Mutation(
        "broken_connections_owe_the_night",
        "a night is never done while one customer must connect again",
        "services/view_night.py",
        "part.state == RunState.FAILED and part.code in set(Broken)",
        "False",
        (f"{NIGHT_TESTS}::test_a_broken_connection_is_no_debt_of_the_night[sqlite]",),
    ),
    Mutation(
        "wrong_bytes_hold",
        "what was sent is not held against what we say of it",
        "domain/sent_bytes.py",
        " or _said(sent[one.url]) != meant:",
        ":",
        (f"{FLEET_TESTS}::test_each_invariant_is_seen_to_be_violated[sqlite-I17-_wrong_amount]",),
    ),
)
