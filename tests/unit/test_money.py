"""Money is whole cents, exactly, in both directions."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import in_words, signed, to_cents, to_decimal


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_amount_a_database_can_hold_survives_the_way_to_the_wire_and_back(cents: int) -> None:
    assert to_cents(to_decimal(cents)) == cents


@pytest.mark.parametrize(
    ("cents", "written"),
    [(0, "0.00"), (1, "0.01"), (10, "0.10"), (4730, "47.30"), (-5, "-0.05"), (10**15, "1" + "0" * 13 + ".00")],
)
def test_an_amount_is_written_with_exactly_two_decimals(cents: int, written: str) -> None:
    assert str(to_decimal(cents)) == written


@pytest.mark.parametrize("amount", ["0.001", "47.305", "NaN"])
def test_an_amount_that_is_no_whole_number_of_cents_is_refused_by_name(amount: str) -> None:
    with pytest.raises(ValueError, match=amount):
        to_cents(Decimal(amount))


def test_trailing_zeros_do_not_make_an_amount_less_whole() -> None:
    assert to_cents(Decimal("47.3000")) == 4730


def test_a_credit_raises_the_balance_and_a_debit_lowers_it() -> None:
    assert (signed("credit", 4730), signed("debit", 4730)) == (4730, -4730)


def test_people_read_an_amount_with_its_sign_and_currency() -> None:
    assert in_words(-4730, "EUR") == "-47.30 EUR"
