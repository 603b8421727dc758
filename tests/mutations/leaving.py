"""Leaving and coming back, broken on purpose."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

LEAVING_TESTS = "tests/acceptance/test_disconnect.py"
RETURNING_TESTS = "tests/acceptance/test_reconnect.py"

LEAVING = (
    Mutation(
        "secrets_kept",
        "what let us in outlives the connection",
        "services/disconnect.py",
        "        forget([job.connection.qonto_credential_id, job.connection.xero_credential_id])\n",
        "",
        (f"{LEAVING_TESTS}::test_what_let_us_in_is_gone_here_and_in_xero_and_our_record_stays[sqlite]",),
    ),
    Mutation(
        "revoked_for_all",
        "one client that leaves ends the accountant's other clients",
        "services/disconnect.py",
        "    if not left and not left.unreadable:",
        "    if True:",
        (f"{LEAVING_TESTS}::test_an_accountants_login_is_revoked_only_with_its_last_client[sqlite]",),
    ),
    Mutation(
        "nobody_gives_way_to_an_end",
        "a night goes on until its turn is over, whoever has ended the connection",
        "services/job.py",
        "        self.gives_way = self.gives_way or run_ahead_of(self.run, now) is not None\n",
        "",
        (f"{LEAVING_TESTS}::test_a_night_under_way_gives_way_and_nothing_begins_afterwards[sqlite]",),
    ),
    Mutation(
        "back_too_soon",
        "whoever comes back is believed not to have sent what may still come late",
        "services/verify.py",
        "    if started < certain_at:",
        "    if False:",
        (f"{RETURNING_TESTS}::test_whoever_comes_back_at_once_waits_until_nothing_can_come_late[sqlite]",),
    ),
    Mutation(
        "looked_at_half",
        "the look is over before every account was read",
        "services/read_accounts.py",
        "return {one.id for one in listed} - {one.id for one in to_read} | self.whole",
        "return {one.id for one in listed}",
        (f"{RETURNING_TESTS}::test_an_account_that_could_not_be_read_yet_does_not_miss_the_look[sqlite]",),
    ),
)
