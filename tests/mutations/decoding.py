"""What one odd field may cost, and how far a number of somebody else's may carry us."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

ANSWERS = "tests/contract/test_odd_answers.py::test_an_odd_field_costs_at_most_its_own_row"
ODD = "tests/acceptance/test_odd_answers.py"
EVENTS = "tests/unit/test_account_events.py"
RESOURCES = "tests/unit/test_xero_resources.py"
INCOMPLETE = f"{RESOURCES}::test_a_listing_is_incomplete_if_a_row_that_cannot_be_read_may_carry_a_link_of_ours"

DECODING = (
    Mutation(
        "an_odd_row_is_forgotten",
        "a row that cannot be read is skipped, and nothing says so",
        "clients/decoding.py",
        "            rows.unreadable.append(unreadable(payload, _words(error)))\n",
        "            _words(error)\n",
        (f"{ANSWERS}[transactions-a list]",),
    ),
    Mutation(
        "null_is_no_absence",
        "a null in a field that may be absent loses the row",
        "clients/decoding.py",
        '        if value == b"null":\n',
        "        if field.encode_name not in given:\n",
        ("tests/contract/test_odd_answers.py::test_a_null_reads_like_an_absent_field[bank accounts]",),
    ),
    Mutation(
        "absent_among_the_unreadable",
        "a look-up ends although the row that it looks for cannot be read",
        "clients/xero/bank_transactions.py",
        "        if row.url is None or is_wanted(row.url):\n",
        "        if row.url is None:\n",
        (f"{INCOMPLETE}[ours/1-False-change0]",),
    ),
    Mutation(
        "another_rows_doubt",
        "one row that cannot be read holds up the look-up of every other",
        "services/look_up.py",
        "rows_changed(job, since, by_url.__contains__)",
        "rows_changed(job, since)",
        (f"{ODD}::test_a_row_of_ours_that_cannot_be_read_is_no_doubt_about_another[sqlite]",),
    ),
    Mutation(
        "a_lost_link_is_absence",
        "a row that Xero shows without its link is sent a second time",
        "services/look_up.py",
        "        if likeness in by_likeness\n",
        "        if not likeness\n",
        (f"{ODD}::test_a_row_that_xero_shows_without_its_link_is_not_sent_again[sqlite]",),
    ),
    Mutation(
        "a_limit_without_end",
        "Xero's Retry-After holds a customer up for as long as it says",
        "clients/numbers.py",
        "    return timedelta(seconds=min(float(text), A_DAY.total_seconds()))\n",
        "    return timedelta(seconds=min(float(text), 1e9))\n",
        (
            f"{ODD}::test_no_limit_lasts_longer_than_a_day[sqlite-31 years]",
            "tests/unit/test_oauth.py::test_a_limit_says_until_when_to_wait[headers3-86400]",
        ),
    ),
    Mutation(
        "levels_uncounted",
        "how deep an event may be depends on the interpreter",
        "clients/decoding.py",
        "MOST_LEVELS = 100 ",
        "MOST_LEVELS = 10_000 ",
        (f"{EVENTS}::test_a_hundred_levels_are_read_and_one_more_is_refused_by_every_python[101-lists]",),
    ),
)
