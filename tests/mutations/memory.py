"""What is remembered, by us and by the queue, and what a restored database must not believe."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

RESTORED = "tests/acceptance/test_restored_database.py"
OVERLAP = "tests/acceptance/test_overlap.py"
RECOVERY = "tests/acceptance/test_recovery.py"
MENDS = "tests/messaging/test_mends.py"
RELAY = "tests/integration/test_outbox_relay.py"
MARGINS = "tests/unit/test_margins.py"

MEMORY = (
    Mutation(
        "restored_and_believed",
        "a restored database sends what it no longer knows to be posted",
        "services/post_due.py",
        "    if may_send_at := verify(job):\n",
        "    if may_send_at := None:\n",
        (f"{RESTORED}::test_nothing_posted_since_the_backup_is_posted_again[sqlite]",),
    ),
    Mutation(
        "no_overlap",
        "what Qonto shows late is never read",
        "services/read_transactions.py",
        "OVERLAP = timedelta(hours=1)",
        "OVERLAP = timedelta(0)",
        (f"{OVERLAP}::test_a_row_older_than_the_newest_that_was_read_is_still_found_when_it_is_shown_late[sqlite]",),
    ),
    Mutation(
        "attempt_not_in_key",
        "a later attempt goes out under a key that Xero may remember",
        "services/freeze_batch.py",
        'f"{posting.id}:{posting.attempts + 1}"',
        'f"{posting.id}"',
        (f"{RECOVERY}::test_every_attempt_has_a_key_of_its_own_and_remembers_what_it_proved[sqlite]",),
    ),
    Mutation(
        "refused_means_sent",
        "the outbox forgets a message that RabbitMQ did not take",
        "messaging/outbox_relay.py",
        "in zip(claimed, confirmed, strict=True) if safe]",
        "in zip(claimed, confirmed, strict=True)]",
        (f"{RELAY}::test_what_the_broker_did_not_confirm_stays_in_the_outbox[sqlite]",),
    ),
    Mutation(
        "acks_of_an_old_connection",
        "a finished job acks another message than its own",
        "messaging/mends.py",
        "ours = consumer_of(message) is self and bool(self.channel.is_open)",
        "ours = bool(self.channel.is_open)",
        (f"{MENDS}::test_an_ack_never_reaches_another_message_than_its_own",),
    ),
    Mutation(
        "lease_shorter_than_a_call",
        "a worker is overtaken while its request is still under way",
        "models/lease.py",
        "LEASE = timedelta(seconds=90)",
        "LEASE = timedelta(seconds=30)",
        (f"{MARGINS}::test_no_call_outlives_what_protects_it",),
    ),
)
