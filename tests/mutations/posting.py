"""What makes a request uncertain, and what an uncertain one may hold up."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

HELD_UP = "tests/acceptance/test_held_up.py"
STEPS = "tests/acceptance/test_recovery_steps.py"

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
)
