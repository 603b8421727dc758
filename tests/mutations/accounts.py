"""Accounts in Xero: never two of one, the right one, and what is held lets go for its own reason."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

DOUBTS = "tests/acceptance/test_account_doubts.py"
REFUSALS = "tests/acceptance/test_account_refusals.py"
ACCOUNTS = "tests/acceptance/test_accounts.py"
CLOSED = "tests/acceptance/test_closed_accounts.py"
HOLDS = "tests/acceptance/test_holds.py"

ACCOUNTS_IN_XERO = (
    Mutation(
        "gone_by_one_list",
        "an account is gone as soon as one list does not show it as active",
        "services/chart.py",
        "            _read_by_id(xero, chart, account_id)\n",
        "            pass\n",
        (f"{DOUBTS}::test_one_list_that_is_wrong_makes_no_account_and_declares_none_gone[sqlite-no_bank_accounts]",),
    ),
    Mutation(
        "made_on_an_empty_list",
        "accounts are made on a list that shows none at all",
        "services/chart.py",
        "    if not chart.accounts:\n",
        "    if chart is None:\n",
        (f"{DOUBTS}::test_a_first_list_without_any_account_is_asked_for_again[sqlite]",),
    ),
    Mutation(
        "all_gone_at_once",
        "all accounts are made again on the first list that shows none of them",
        "services/provision_accounts.py",
        'set() if has_waited_for_lists(job) else known - {""}',
        "set()",
        (f"{DOUBTS}::test_when_all_that_we_made_was_deleted_it_is_made_again_but_not_by_the_first_answers[sqlite]",),
    ),
    Mutation(
        "taken_and_not_listed",
        "a Code that is taken by an account which lists do not show yet is given up for the next generation",
        "services/create_account.py",
        "    if found is None and not has_waited_for_lists(job):\n",
        "    if found is None and job is None:\n",
        (f"{DOUBTS}::test_a_creation_whose_answer_was_lost_is_found_however_late_lists_show_it[sqlite-bank]",),
    ),
    Mutation(
        "a_second_list_counts",
        "a second list in a turn takes the place of what was known of other accounts",
        "services/chart.py",
        "        self.accounts += [account for account in accounts if account.account_id not in known]\n",
        "        self.accounts = [account for account in accounts if account.account_id or known]\n",
        (f"{DOUBTS}::test_a_second_list_that_shows_less_than_the_first_makes_no_account[sqlite]",),
    ),
    Mutation(
        "an_archived_account_adopted",
        "an archived account is adopted after Xero says that its Code is taken",
        "services/create_account.py",
        "    if found and found.status == ACTIVE:\n",
        "    if found:\n",
        (f"{DOUBTS}::test_an_archived_account_that_has_the_code_already_is_not_posted_to[sqlite-BANK]",),
    ),
    Mutation(
        "newest_link_counts",
        "the newest link counts, even where the account of an older one was restored",
        "models/bank_account.py",
        "    return max(links, key=lambda link: (link.state == LinkState.LIVE, link.generation))",
        "    return max(links, key=lambda link: link.generation)",
        (f"{ACCOUNTS}::test_an_older_account_that_a_person_restored_in_place_of_the_newer_one_is_posted_to[sqlite]",),
    ),
    Mutation(
        "known_by_its_code",
        "the account for lines to be coded is known by its Code alone",
        "services/coding_account.py",
        "_known(chart, known) or _marked(job, chart)",
        "_marked(job, chart)",
        (f"{DOUBTS}::test_a_renumbered_coding_account_is_known_by_its_id_and_used_under_its_new_code[sqlite]",),
    ),
    Mutation(
        "refused_for_six_minutes",
        "a creation that was refused is asked for again under the same key",
        "services/create_account.py",
        "{code}|{name}|{number}|{refusals}",
        "{code}|{name}|{number}",
        (f"{REFUSALS}::test_a_refused_creation_is_asked_for_under_a_new_key_so_that_a_sync_need_not_wait[sqlite]",),
    ),
    Mutation(
        "the_iban_or_nothing",
        "where Xero refuses the IBAN, no other number is tried",
        "services/create_account.py",
        "            if number and NUMBER_REFUSED in _words(error):\n",
        "            if not number and NUMBER_REFUSED in _words(error):\n",
        (f"{REFUSALS}::test_an_australian_organisation_gets_a_number_in_its_own_form[sqlite]",),
    ),
    Mutation(
        "let_go_on_the_lock_date",
        "a row dated on the lock date itself is let go",
        "services/settle_holds.py",
        "Posting.date > until",
        "Posting.date >= until",
        (f"{HOLDS}::test_a_row_dated_on_the_lock_date_itself_stays_held_and_one_of_the_next_day_is_sent[sqlite]",),
    ),
    Mutation(
        "let_go_for_everybody",
        "one organisation lets go of what is held for another",
        "services/settle_holds.py",
        "    ours = Posting.connection_id == job.connection.id\n    if change.reason",
        '    ours = Posting.tenant_id != ""\n    if change.reason',
        (f"{HOLDS}::test_what_one_organisation_lets_go_of_is_its_own[sqlite]",),
    ),
    Mutation(
        "closed_is_never_made",
        "an account that was closed before it was in Xero is not made for its transactions",
        "domain/account_choice.py",
        "    if left_out and not (left_out == LeftOut.CLOSED and has_rows):\n",
        "    if left_out:\n",
        (f"{CLOSED}::test_an_account_that_was_open_for_a_day_is_made_for_what_settled_in_it[sqlite]",),
    ),
    Mutation(
        "closed_is_made_again",
        "an account that is closed and that a person took out of Xero is made again for its transactions",
        "domain/account_choice.py",
        "    if left_out == LeftOut.CLOSED and newest_seen:\n",
        "    if left_out == LeftOut.CLOSED and newest_seen and not has_rows:\n",
        (f"{CLOSED}::test_what_comes_later_is_left_out_too[sqlite]",),
    ),
    Mutation(
        "left_out_for_ever",
        "what was left out stays so when its account is back",
        "services/create_account.py",
        "        if state == LinkState.LIVE:\n",
        "        if state is None:\n",
        (f"{CLOSED}::test_what_was_left_out_is_sent_once_the_account_is_restored_in_xero[sqlite]",),
    ),
    Mutation(
        "left_out_unheard",
        "the night does not tell what it left out",
        "services/night_news.py",
        "Left.REJECTED, Left.LEFT_OUT, ",
        "Left.REJECTED, ",
        (f"{CLOSED}::test_what_is_left_of_an_account_that_is_closed_and_gone_is_left_out_and_named[sqlite]",),
    ),
    Mutation(
        "left_out_not_looked_for",
        "after a restore nobody looks in Xero for what our record says was left out",
        "models/posting.py",
        "(Posting.state.in_(states) | is_left_out(left_out))",
        "Posting.state.in_(states)",
        (f"{CLOSED}::test_what_a_restored_database_says_is_left_out_is_looked_for_in_xero[sqlite]",),
    ),
    Mutation(
        "another_account_adopted",
        "whatever account Xero's answer to a creation shows is posted to",
        "clients/xero/accounts.py",
        '    if created[0].code != account["Code"]:\n',
        "    if not created[0]:\n",
        (
            f"{DOUBTS}::test_an_answer_that_shows_another_account_than_the_one_asked_for_is_not_posted_to[sqlite-bank]",
            f"{DOUBTS}::test_an_answer_that_shows_another_account_than_the_one_asked_for_is_not_posted_to[sqlite-coding]",
        ),
    ),
    Mutation(
        "unreadable_is_made_again",
        "an account for lines to be coded that cannot be read is made again under the next Code",
        "services/coding_account.py",
        "    if any(row.code in {None, code} for row in listed.unreadable):\n",
        "    if not job:\n",
        (f"{DOUBTS}::test_a_coding_account_that_cannot_be_read_is_made_once_and_found_later[sqlite]",),
    ),
    Mutation(
        "unclear_is_not_active",
        "lines are held while the account they are coded to cannot be read",
        "services/coding_account.py",
        "    is_unclear = bool(job.connection.default_code)",
        "    is_unclear = not job.connection.default_code",
        (f"{DOUBTS}::test_a_known_coding_account_that_cannot_be_read_is_still_posted_to[sqlite]",),
    ),
)
