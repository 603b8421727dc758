"""A free name in Xero, in which the customer still recognises the account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.naming import NAME_LENGTH, free_name


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ([], "Main"),
        (["Other"], "Main"),
        (["Main"], "Main (1234)"),
        (["MAIN", "main (1234)"], "Main (1234) 2"),
        (["Main", "Main (1234)", "Main (1234) 2"], "Main (1234) 3"),
        (["Main (1234)"], "Main"),
    ],
)
def test_a_taken_name_gets_the_iban_ending_and_then_a_number(taken: list[str], name: str) -> None:
    assert free_name("Main", "1234", taken) == name


def test_without_an_iban_a_taken_name_gets_a_number() -> None:
    assert free_name("Main", "", ["Main"]) == "Main 2"


def test_names_that_differ_only_in_case_are_the_same_name() -> None:
    assert free_name("Straße", "1234", ["STRASSE"]) == "Straße (1234)"


@pytest.mark.parametrize("name", ["", " \t", "<>", "\u200b"])
def test_a_name_with_nothing_to_read_becomes_qonto_account(name: str) -> None:
    assert free_name(name, "1234", []) == "Qonto account"


@given(st.text(max_size=400), st.integers(0, 50))
def test_every_name_is_free_one_line_and_short_enough(name: str, others: int) -> None:
    taken: list[str] = []
    for _ in range(others):
        taken.append(free_name(name, "1234", taken))

    chosen = free_name(name, "1234", taken)

    assert chosen.casefold() not in {other.casefold() for other in taken}
    assert 1 <= len(chosen) <= NAME_LENGTH
    assert not set(chosen) & {"<", ">", "\n"}


def test_the_ending_survives_when_a_long_name_is_cut() -> None:
    long = "x" * 200

    assert free_name(long, "1234", ["x" * 150]) == "x" * 143 + " (1234)"


def test_a_hundred_taken_names_are_too_many_and_the_error_says_which_account() -> None:
    taken = ["Main", "Main (1234)", *(f"Main (1234) {number}" for number in range(2, 100))]

    with pytest.raises(LookupError, match="1234"):
        free_name("Main", "1234", taken)
