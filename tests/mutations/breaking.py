"""Being refused: what one answer may end, what many at once may not, and what is asked again."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

REFUSED = "tests/acceptance/test_refused_access.py"
UNREAD = "tests/acceptance/test_unread_accounts.py"
REFRESH = "tests/integration/test_one_refresh.py"
ROWS = "tests/integration/test_access_refusal.py"
JUDGE = "services/judge_refusal.py"

BREAKING = (
    Mutation(
        "one_refusal_is_final",
        "a connection ends with the first answer that refuses it",
        "domain/access.py",
        "    return refusals >= LEAST_REFUSALS and now - refused_since >= LEAST_TIME",
        "    return refusals >= 1",
        (
            f"{REFUSED}::test_a_refusal_that_lasts_for_hours_needs_a_person_and_is_told_once[sqlite-refusal0-qonto_access_ended]",
        ),
    ),
    Mutation(
        "a_persons_impatience_ends_it",
        "refusals end a connection however short the time in which they came",
        "domain/access.py",
        "    return refusals >= LEAST_REFUSALS and now - refused_since >= LEAST_TIME",
        "    return refusals >= LEAST_REFUSALS",
        (f"{REFUSED}::test_however_often_a_person_asks_within_an_hour_nothing_ends[sqlite]",),
    ),
    Mutation(
        "let_in_counts_for_nothing",
        "refusals are added up although we were let in between them",
        "services/sync_organisation.py",
        "        forget_refusals(job.connection.id, job.admitted_by())\n",
        "",
        (f"{REFUSED}::test_a_success_in_between_begins_the_count_anew[sqlite]",),
    ),
    Mutation(
        "a_403_is_believed",
        "a 403 of Xero's ends a connection although Xero's own list names the organisation",
        JUDGE,
        "    return not may_reach(links, job.tenant_id)",
        "    return True",
        (f"{REFUSED}::test_what_xero_answers_about_one_organisation_is_believed_only_with_xeros_list[sqlite]",),
    ),
    Mutation(
        "no_list_is_no_access",
        "a 403 of Xero's ends a connection when Xero's list cannot be read",
        JUDGE,
        "    except RemoteError:\n        return False\n",
        "    except RemoteError:\n        return True\n",
        (f"{REFUSED}::test_when_xeros_list_cannot_be_read_either_nothing_ends_at_once[sqlite-500]",),
    ),
    Mutation(
        "the_brake_looks_too_early",
        "a connection ends before the brake has seen a whole window",
        JUDGE,
        "    if now < since + BRAKE_WINDOW:\n",
        "    if now < since:\n",
        (f"{REFUSED}::test_when_many_would_end_within_ten_minutes_none_does_and_all_go_on_by_themselves[sqlite]",),
    ),
    Mutation(
        "no_brake",
        "every connection of the fleet ends in one bad quarter of an hour",
        JUDGE,
        "    if count_ending(brake_counts_from(since, now), now, most) >= most:\n",
        "    if count_ending(brake_counts_from(since, now), now, most) > most:\n",
        (f"{REFUSED}::test_when_many_would_end_within_ten_minutes_none_does_and_all_go_on_by_themselves[sqlite]",),
    ),
    Mutation(
        "healed_by_old_secrets",
        "a probe with the secrets of before heals a connection that has others by now",
        "models/organisation.py",
        "        .where(Connection.xero_credential_id == connection.xero_credential_id)\n",
        "",
        (
            f"{ROWS}::test_a_connection_that_a_person_gave_other_secrets_meanwhile_is_not_healed_by_the_old_ones[sqlite-xero_credential_id]",
        ),
    ),
    Mutation(
        "a_lost_token_waits",
        "a token whose answer was lost is asked for again with the next turn, when Qonto's grace is over",
        "services/access_tokens.py",
        "                rest = next(rests, None)\n",
        "                rest = None\n",
        (f"{REFRESH}::test_an_answer_that_is_lost_is_asked_for_again_at_once_with_the_same_refresh_token[sqlite]",),
    ),
    Mutation(
        "one_account_stops_all",
        "an account that Qonto refuses ends its organisation's night",
        "services/read_accounts.py",
        "        except (Permanent, Unreadable) as error:\n",
        "        except () as error:\n",
        (
            f"{UNREAD}::test_an_account_that_cannot_be_read_holds_nothing_else_and_is_named_until_it_can[sqlite-answer0-account_refused_by_qonto]",
        ),
    ),
    Mutation(
        "a_refusal_is_an_outage",
        "what would be refused tomorrow too is asked for hours",
        "services/sync_organisation.py",
        "        return ask_again(job, error)\n",
        "        return try_later(job, str(error))\n",
        (
            f"{REFUSED}::test_a_refusal_that_stays_the_same_is_asked_twice_and_not_for_hours[sqlite-refusal0-unusable_answer_of_qonto]",
        ),
    ),
    Mutation(
        "refused_once_is_refused",
        "a run fails with the first answer that refuses it",
        "services/verdict.py",
        "    if is_same_again or job",
        "    if not is_same_again or job",
        (f"{REFUSED}::test_a_refusal_that_comes_once_costs_minutes[sqlite-xero-400]",),
    ),
)
