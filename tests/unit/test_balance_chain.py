"""Qonto proves its own list: a break in its balances is a missing row, and a whole list has none."""

from __future__ import annotations

from datetime import timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from domain.balance_chain import Settled, closing_balance, first_break
from tests.unit.fakes import NOW

SMALL = st.integers(-3, 3)  # so that balances meet again, as round sums do


@st.composite
def chains(
    draw: st.DrawFn, *, seconds_apart: st.SearchStrategy[int], cents: st.SearchStrategy[int] = SMALL
) -> list[Settled]:
    """An account's whole list, in the order in which it happened; the ids say nothing about that order."""
    steps = draw(st.lists(st.tuples(cents, seconds_apart), min_size=1, max_size=12))
    names = draw(st.permutations(range(len(steps))))
    balances = accumulate((amount for amount, _ in steps), initial=draw(st.integers(-1000, 1000)))
    next(balances)
    moments = accumulate(seconds for _, seconds in steps)
    return [
        Settled(f"{name:02}", NOW + timedelta(seconds=moment), amount, balance)
        for name, (amount, _), balance, moment in zip(names, steps, balances, moments, strict=True)
    ]


@given(chains(seconds_apart=st.just(1)), st.randoms(use_true_random=False))
def test_a_whole_list_has_no_break_in_whatever_order_it_is_read(rows: list[Settled], random: object) -> None:
    random.shuffle(rows)  # type: ignore[attr-defined]

    assert first_break(rows) is None


@given(chains(seconds_apart=st.sampled_from([0, 0, 1])), st.randoms(use_true_random=False))
def test_a_whole_list_has_no_break_however_many_rows_share_a_moment(rows: list[Settled], random: object) -> None:
    random.shuffle(rows)  # type: ignore[attr-defined]

    assert first_break(rows) is None


def test_a_list_that_begins_with_two_rows_of_one_moment_that_undo_each_other_has_no_break() -> None:
    rows = [
        Settled("a", NOW, 5, 105),
        Settled("b", NOW, -5, 100),
        Settled("c", NOW + timedelta(seconds=1), 1, 101),
    ]

    assert first_break(rows) is None


def test_a_row_of_a_crowd_that_tells_no_balance_may_be_its_last() -> None:
    moment = NOW + timedelta(seconds=1)
    rows = [
        Settled("a", NOW, 100, 100),
        Settled("b", moment, 5, 105),
        Settled("c", moment, -3, None),
        Settled("d", moment + timedelta(seconds=1), 1, 103),
    ]

    assert first_break(rows) is None


def test_rows_of_one_moment_after_a_known_balance_have_no_order_among_themselves() -> None:
    rows = [
        Settled("a", NOW, 100, 100),
        Settled("d", NOW + timedelta(seconds=1), 5, 105),
        Settled("c", NOW + timedelta(seconds=1), -5, 100),
        Settled("b", NOW + timedelta(seconds=1), 7, 107),
        Settled("e", NOW + timedelta(seconds=2), 1, 108),
    ]

    assert first_break(rows) is None


@given(chains(seconds_apart=st.just(1), cents=SMALL.filter(bool)).filter(lambda rows: len(rows) > 2), st.data())
def test_a_missing_inner_row_is_found_at_the_row_after_it(rows: list[Settled], data: st.DataObject) -> None:
    missing = data.draw(st.integers(1, len(rows) - 2))

    assert first_break(rows[:missing] + rows[missing + 1 :]) == rows[missing + 1]


def test_a_row_missing_from_a_crowd_of_one_moment_is_found() -> None:
    moment = NOW + timedelta(seconds=1)
    rows = [Settled("a", NOW, 100, 100), Settled("b", moment, 5, 105), Settled("d", moment, 3, 115)]

    assert first_break(rows) == rows[1]


@given(chains(seconds_apart=st.just(1)).filter(lambda rows: len(rows) > 2), st.data())
def test_a_row_without_a_balance_neither_breaks_nor_hides_the_chain(rows: list[Settled], data: st.DataObject) -> None:
    untold = data.draw(st.integers(0, len(rows) - 2))
    row = rows[untold]
    rows[untold] = Settled(row.transaction_id, row.settled_at, row.signed_cents, None)
    assert first_break(rows) is None

    last = rows[-1]
    rows[-1] = Settled(last.transaction_id, last.settled_at, last.signed_cents + 1, last.balance_cents)
    assert first_break(rows) == (rows[-1] if any(other.balance_cents is not None for other in rows[:-1]) else None)


def test_the_break_named_is_the_first_one() -> None:
    rows = [Settled(str(n), NOW + timedelta(seconds=n), 1, balance) for n, balance in enumerate([1, 2, 30, 31, 400])]

    assert first_break(reversed(rows)) == rows[2]


def test_a_list_too_short_to_prove_anything_has_no_break() -> None:
    assert first_break([]) is None
    assert first_break([Settled("a", NOW, 5, 100)]) is None
    assert first_break([Settled("a", NOW, 5, None), Settled("b", NOW, 5, None)]) is None


@given(chains(seconds_apart=st.sampled_from([0, 0, 1])), st.randoms(use_true_random=False))
def test_the_closing_balance_is_that_after_the_last_row_or_unknown(rows: list[Settled], random: object) -> None:
    last = rows[-1]
    random.shuffle(rows)  # type: ignore[attr-defined]

    assert closing_balance(rows) in {last.balance_cents, None}


@given(chains(seconds_apart=st.just(1)))
def test_the_closing_balance_of_rows_at_moments_of_their_own_is_known(rows: list[Settled]) -> None:
    assert closing_balance(rows) == rows[-1].balance_cents


def test_the_closing_balance_of_a_crowd_is_where_no_other_row_begins() -> None:
    assert closing_balance([Settled("b", NOW, 3, 108), Settled("a", NOW, 5, 105)]) == 108


def test_rows_without_a_balance_are_added_to_an_older_one() -> None:
    later = NOW + timedelta(seconds=1)

    assert (
        closing_balance([Settled("a", NOW, 5, 105), Settled("b", later, 3, None), Settled("c", later, -1, 107)]) == 107
    )


def test_without_any_balance_there_is_no_closing_balance() -> None:
    assert closing_balance([]) is None
    assert closing_balance([Settled("a", NOW, 5, None)]) is None
