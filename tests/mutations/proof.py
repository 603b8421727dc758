"""What was seen and not stored, and what a proof rests on."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

LATE = "tests/acceptance/test_late_settlements.py"

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
)
