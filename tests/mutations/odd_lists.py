"""Lists and answers of Qonto's that have no end, and amounts that no sum can hold."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

ENDLESS = "tests/unit/test_endless_lists.py"
QONTO = "tests/unit/test_qonto_client.py"
BUDGET = "tests/integration/test_qonto_budget.py"

ODD_LISTS = (
    Mutation(
        "repeats_are_read_on",
        "a list that gives the same rows for every page is read to the bound of a moment",
        "services/read_transactions.py",
        "repeats = position.page > 1 and _rows_of(page) <= seen",
        "repeats = False",
        (f"{ENDLESS}::test_a_list_that_gives_the_same_rows_for_every_page_ends",),
    ),
    Mutation(
        "any_next_page_counts",
        "a next_page that is no number of a further page is believed",
        "clients/qonto/pages.py",
        "return rows >= PAGE or (type(following) is int and following > page)",
        "return rows >= PAGE or following is not msgspec.UNSET",
        (f"{QONTO}::test_whether_there_is_more_is_what_qonto_says_or_else_a_full_page",),
    ),
    Mutation(
        "one_answer_stops_the_fleet",
        "a Retry-After of a day pauses every organisation for a day",
        "services/app_share.py",
        "until = min(until, self._clock() + max(limit.span for limit in self._service.limits))",
        "until = max(until, self._clock())",
        (f"{BUDGET}::test_the_fleet_pauses_no_longer_than_the_longest_span_that_qonto_counts[sqlite]",),
    ),
)
