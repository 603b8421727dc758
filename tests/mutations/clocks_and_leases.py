"""Who may write, and what time it is."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

LEASES = "tests/integration/test_leases.py"
CREDENTIALS = "tests/integration/test_credentials.py"
TOKENS = "tests/integration/test_one_refresh.py"
CALENDAR = "tests/unit/test_calendar.py"
RULES = "tests/unit/test_recovery.py"
BETWEEN = "tests/acceptance/test_between_commits.py"
BUDGET = "tests/integration/test_call_budget.py"
FLEET = "tests/integration/test_fleet_minute.py"

STORE_THEN_MOVE = """    with job.holding():
        new = insert_new(rows, now)
"""
MOVE_THEN_STORE = """    if page.rows and read_until:
        with job.holding():
            advance_cursor(job.connection.id, account.id, min(max(row.updated_at for row in page.rows), read_until))
    with job.holding():
        new = insert_new(rows, now)
"""

CLOCKS_AND_LEASES = (
    Mutation(
        "no_fence",
        "a worker writes under a fence that has moved on",
        "models/lease.py",
        " AND fence = {fence}",
        " AND {fence} = {fence}",
        (f"{LEASES}::test_whoever_gave_it_back_and_took_it_again_writes_under_the_newer_fence_alone[sqlite]",),
    ),
    Mutation(
        "no_fence_and_no_owner",
        "whoever once held the lease may write",
        "models/lease.py",
        " AND fence = {fence} AND owner = {owner}",
        " AND {fence} = {fence} AND {owner} = {owner}",
        (f"{LEASES}::test_who_was_overtaken_is_told_and_writes_nothing[sqlite-second]",),
    ),
    Mutation(
        "release_of_another",
        "a worker that was overtaken frees the next one's lease",
        "models/lease.py",
        "RELEASE = f\"UPDATE lease SET owner = '', expires_at = {{now}} {MINE}\"",
        "RELEASE = \"UPDATE lease SET owner = '', expires_at = {now} WHERE organisation_id = {id}\"",
        (f"{LEASES}::test_an_overtaken_holder_cannot_release_the_next_ones_lease[sqlite]",),
    ),
    Mutation(
        "lease_without_where",
        "the lease is taken from whoever holds it",
        "models/lease.py",
        " AND (owner = '' OR expires_at <= {now}) RETURNING fence",
        " RETURNING fence",
        (f"{LEASES}::test_one_owner_holds_the_lease_until_it_ends[sqlite]",),
    ),
    Mutation(
        "claim_without_lock",
        "two processes may claim the same refresh",
        "models/credential.py",
        "            & (Credential.claimed_until.is_null() | (Credential.claimed_until < now))\n",
        "",
        (f"{CREDENTIALS}::test_one_claimant_may_refresh_for_a_minute[sqlite]",),
    ),
    Mutation(
        "refresh_without_claim",
        "a token is refreshed by whoever finds it stale",
        "services/access_tokens.py",
        "if claim_refresh(credential, self._me, self._clock()):",
        "if claim_refresh(credential, self._me, self._clock()) or True:",
        (f"{TOKENS}::test_while_one_process_refreshes_the_others_wait_for_its_token[sqlite]",),
    ),
    Mutation(
        "cursor_before_rows",
        "Qonto's cursor moves before the rows behind it are stored",
        "services/store_transactions.py",
        STORE_THEN_MOVE,
        MOVE_THEN_STORE,
        (f"{BETWEEN}::test_a_worker_that_dies_while_it_stores_a_page_has_not_moved_the_cursor_past_it[sqlite]",),
    ),
    Mutation(
        "plus_24_hours",
        "the night falls due 24 hours after the last one",
        "domain/calendar.py",
        "    return datetime.combine(local_date, at, clock_of(time_zone)).astimezone(UTC)\n",
        """    first = date(2026, 1, 1)
    return datetime.combine(first, at, clock_of(time_zone)).astimezone(UTC) + (local_date - first)
""",
        (f"{CALENDAR}::test_the_night_falls_due_at_23_00_where_the_organisation_is",),
    ),
    Mutation(
        "only_the_databases_clock",
        "a database clock that was set back lets a key be used too late",
        "domain/recovery.py",
        "passed = (self.database - earlier.database, self.machine - earlier.machine)",
        "passed = (self.database - earlier.database,) * 2",
        (f"{RULES}::test_one_clock_that_was_set_can_neither_repeat_too_late_nor_conclude_too_early",),
    ),
    Mutation(
        "only_the_machines_clock",
        "a machine clock that was set back lets a key be used too late",
        "domain/recovery.py",
        "passed = (self.database - earlier.database, self.machine - earlier.machine)",
        "passed = (self.machine - earlier.machine,) * 2",
        (f"{RULES}::test_one_clock_that_was_set_can_neither_repeat_too_late_nor_conclude_too_early",),
    ),
    Mutation(
        "budget_not_shared",
        "a worker does not tell the others what it calls",
        "services/call_budget.py",
        "store_slots(self._tenant_id, window.with_calls(1, now).slots, **day)",
        "store_slots(self._tenant_id, window.slots, **day)",
        (f"{BUDGET}::test_workers_share_a_tenants_minute[sqlite]",),
    ),
    Mutation(
        "app_budget_not_shared",
        "a process does not tell the fleet what it takes of the app's minute",
        "services/app_share.py",
        "windows = [window.with_calls(granted, now) for window in windows]",
        "windows = [window.with_calls(0, now) for window in windows]",
        (f"{FLEET}::test_two_processes_together_take_no_more_than_the_apps_minute[sqlite]",),
    ),
)
