"""What Qonto's core is told, broken on purpose."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

TOLD = "tests/acceptance/test_telling.py"
DISCONNECTING = "tests/acceptance/test_disconnect.py"
RELAYS = "tests/integration/test_outbox_relay.py"
EXCHANGE = "tests/messaging/test_telling.py"

TELLING = (
    Mutation(
        "told_before_it_is_true",
        "the core hears of an end that was rolled back, and then of it again",
        "services/disconnect.py",
        "        with job.holding():\n            tell_core(Told.DISCONNECTED, job.connection, now, ended_at=now)\n",
        "        tell_core(Told.DISCONNECTED, job.connection, now, ended_at=now)\n        with job.holding():\n",
        (f"{TOLD}::test_an_end_over_which_a_worker_dies_is_told_once[sqlite-services.disconnect.end-before]",),
    ),
    Mutation(
        "broken_although_it_was_not",
        "whoever is leaving is told that the connection broke",
        "services/judge_refusal.py",
        "    if not Connection.update(state=ConnectionState.NEEDS_RECONNECT, reason=problem).where(live).execute():\n",
        "    if Connection.update(state=ConnectionState.NEEDS_RECONNECT, reason=problem).where(live).execute() > 1:\n",
        (f"{DISCONNECTING}::test_what_a_person_is_ending_is_not_said_to_be_broken_as_well[sqlite]",),
    ),
    Mutation(
        "other_bytes_each_time",
        "an event that is published again has other bytes",
        "messaging/outbox_relay.py",
        "(event.type, event.body.encode())",
        "(event.type, event.body.encode() + uuid4().bytes)",
        (f"{RELAYS}::test_an_event_that_is_published_again_is_the_same_to_the_byte[sqlite]",),
    ),
    Mutation(
        "told_to_nobody_for_ever",
        "an event that no queue is bound for is published again and again",
        "messaging/confirms.py",
        "        if self._destination.declare_queue:\n",
        "        if True:\n",
        (f"{EXCHANGE}::test_what_nobody_bound_a_queue_for_counts_as_told_and_a_warning_names_its_type_alone",),
    ),
)
