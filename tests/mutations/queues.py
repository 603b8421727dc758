"""Queues, and what waits in them; and who may be let in again."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

LOST = "tests/integration/test_lost_messages.py"
RELAY = "tests/integration/test_outbox_relay.py"
ARGUMENTS = "tests/messaging/test_arguments.py"
RECONNECT = "tests/acceptance/test_reconnect.py"

QUEUES = (
    Mutation(
        "one_lane_for_all",
        "a relay claims the rows of every lane, so that a full one starves the others",
        "models/outbox.py",
        "wanted = free if lane is None else free & (OutboxMessage.lane == lane)",
        "wanted = free",
        (f"{RELAY}::test_a_full_lane_holds_back_none_of_the_other_lanes_messages[sqlite]",),
    ),
    Mutation(
        "announced_into_the_silence",
        "a run whose message waits is announced again every five minutes",
        "models/lost_messages.py",
        "missing = int(announced) - queued",
        "missing = int(announced)",
        (f"{LOST}::test_a_run_whose_message_waits_is_announced_once_in_an_hour_without_workers[sqlite]",),
    ),
    Mutation(
        "unsent_counts_as_lost",
        "what waits in the outbox of a full lane is announced again",
        "models/lost_messages.py",
        "(SELECT COUNT(*) FROM outbox_message WHERE lane = {{lane}} AND sent_at IS NULL)",
        "0",
        (f"{LOST}::test_a_run_that_waits_in_the_outbox_of_a_full_lane_is_not_announced_again[sqlite]",),
    ),
    Mutation(
        "any_argument",
        "an actor is started with an argument that is no id, and the message is retried",
        "messaging/arguments.py",
        "return type(value) is int and 0 <= value <= BIGINT",
        "return True",
        (f"{ARGUMENTS}::test_wrong_arguments_are_in_quarantine_without_a_start_or_a_retry[text]",),
    ),
    Mutation(
        "no_token_margin",
        "a token is used until its last second, and may end during the call",
        "services/access_tokens.py",
        "MARGIN = timedelta(seconds=60)",
        "MARGIN = timedelta(0)",
        (
            "tests/acceptance/test_tokens.py::test_a_token_that_could_end_during_a_call_is_renewed_before_it[sqlite-59-1]",
        ),
    ),
    Mutation(
        "only_uncertain_adopted",
        "a batch that a dead worker was sending is nobody's once the customer left and returned",
        "models/unsettled.py",
        "PostingBatch.state.in_(OPEN_BATCH_STATES)",
        'PostingBatch.state.in_(("uncertain",))',
        (
            (
                f"{RECONNECT}::"
                "test_what_a_dead_worker_was_sending_when_the_customer_left_is_decided_when_they_return[sqlite-before]"
            ),
        ),
    ),
    Mutation(
        "restored_later",
        "a second restore from a newer backup forgets what the first one may lack",
        "models/organisation.py",
        "earlier = min(known - timedelta(microseconds=1), since) if known else since",
        "earlier = since",
        (
            (
                "tests/acceptance/test_restored_database.py::"
                "test_of_two_restores_the_earlier_moment_is_the_one_to_verify_from[sqlite-the earlier one first]"
            ),
        ),
    ),
    Mutation(
        "revived_elsewhere",
        "a connection that waits to be connected again is taken to another Xero organisation",
        "services/connect.py",
        "if connection.tenant_id != tenant.tenant_id:",
        "if False:",
        (
            (
                f"{RECONNECT}::"
                "test_a_connection_that_waits_to_be_connected_again_is_not_taken_to_another_xero_organisation[sqlite]"
            ),
        ),
    ),
)
