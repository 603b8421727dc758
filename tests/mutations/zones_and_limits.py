"""One organisation's zone, one process's first steps, and Qonto's limit, broken on purpose."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

ZONES = "tests/acceptance/test_time_zones.py"
ZONE_NAMES = "tests/unit/test_time_zones.py"
WAITING = "tests/acceptance/test_cli_waiting.py"
QONTO_BUDGET = "tests/integration/test_qonto_budget.py"
QONTO_LIMITS = "tests/acceptance/test_qonto_limits.py"
RUNS = "tests/integration/test_runs.py"

ZONES_AND_LIMITS = (
    Mutation(
        "unknown_zone_for_everybody",
        "one organisation's unknown time zone ends the look at all of them",
        "domain/time_zones.py",
        "    return zoneinfo.ZoneInfo(name) if is_known(name) else UTC\n",
        "    return time_zone(name)\n",
        (f"{ZONES}::test_the_night_of_the_others_is_done[sqlite]",),
    ),
    Mutation(
        "unknown_zone_is_silent",
        "an organisation whose time zone is unknown has its night as if it were UTC's",
        "services/sync_organisation.py",
        "    if job.run.kind != RunKind.OBSERVATION and not is_known(job.organisation.time_zone):",
        "    if False:",
        (f"{ZONES}::test_it_is_named_and_told_and_everything_that_looks_at_all_works[sqlite]",),
    ),
    Mutation(
        "zones_of_this_machine",
        "a time zone that only this machine has is accepted",
        "domain/time_zones.py",
        "zoneinfo.reset_tzpath(())",
        "zoneinfo.reset_tzpath()",
        (f"{ZONE_NAMES}::test_a_zone_that_only_this_machine_has_is_unknown",),
    ),
    Mutation(
        "a_zone_changed_a_day_lost",
        "a date that was over in the former time zone has no night in the new one",
        "models/sync_run.py",
        'AGAIN_IN_ANOTHER_ZONE if state == RunState.DUE else "DO NOTHING"',
        '"DO NOTHING"',
        (f"{RUNS}::test_a_date_whose_night_was_another_zones_has_its_night_again_once[sqlite]",),
    ),
    Mutation(
        "alone_and_in_line",
        "a sync without a broker waits for what goes before it and does not do it",
        "commands/following.py",
        "run_ahead_of(run, workbench.clock()) or run_id",
        "run_id",
        (f"{WAITING}::test_a_sync_alone_does_first_what_goes_before_it",),
    ),
    Mutation(
        "qontos_refusal_forgotten",
        "a refusal of Qonto's is known to the one run that met it",
        "clients/qonto/client.py",
        "            self.budget.pause(until)\n",
        "",
        (f"{QONTO_LIMITS}::test_nobody_asks_before_the_moment_that_qonto_named[sqlite-named]",),
    ),
    Mutation(
        "qontos_ten_minutes_uncounted",
        "only Qonto's shorter limit is counted",
        "domain/call_limits.py",
        '        Limit("qonto_10_minutes", 10_000, timedelta(minutes=10), slot_ms=5_000),\n',
        "",
        (f"{QONTO_BUDGET}::test_ten_minutes_are_counted_too[sqlite]",),
    ),
    Mutation(
        "in_hand_after_a_refusal",
        "a process that Qonto refused uses up what it has in hand",
        "services/app_share.py",
        "            self._taken.left = 0\n",
        "",
        (f"{QONTO_BUDGET}::test_who_was_refused_uses_nothing_that_it_has_in_hand[sqlite]",),
    ),
)
