"""One answer proves no absence: what a list lacks is looked for again."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

RECOVERY = "tests/acceptance/test_recovery.py"
EVENTS = "tests/acceptance/test_account_events.py"
DELETIONS = "tests/acceptance/test_deletions.py"

LOOKING_TWICE = (
    Mutation(
        "closed_account_read_once",
        "a closed account is read for good by an answer that lacks rows",
        "services/read_accounts.py",
        "and adds_up(connection.tenant_id, account)",
        "",
        (f"{EVENTS}::test_a_closed_account_is_read_again_until_its_balance_is_explained[sqlite]",),
    ),
    Mutation(
        "one_look_proves_absence",
        "what one list lacks is sent again",
        "services/look_up.py",
        "    if not absent:\n        return found",
        "    if postings:\n        return found",
        (f"{RECOVERY}::test_a_list_that_lacks_a_row_does_not_prove_that_xero_lacks_it[sqlite]",),
    ),
    Mutation(
        "each_deletion_is_looked_for_once",
        "a deletion that one answer lacks is never seen",
        "services/observe_xero.py",
        "SEEN_TWICE = timedelta(hours=25)",
        "SEEN_TWICE = timedelta(0)",
        (f"{DELETIONS}::test_a_deletion_that_one_look_was_not_shown_is_seen_by_the_next[sqlite]",),
    ),
)
