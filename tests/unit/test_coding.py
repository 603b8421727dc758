"""Which Xero account a line is coded to."""

from __future__ import annotations

import pytest

from domain.coding import FEE, CodingCodes

CHOSEN = CodingCodes("200", "400", "404", "Q1")
NOTHING_CHOSEN = CodingCodes("", "", "", "Q1")


@pytest.mark.parametrize(
    ("side", "operation_type", "code"),
    [
        ("credit", "income", "200"),
        ("debit", "card", "400"),
        ("debit", FEE, "404"),
        ("credit", FEE, "404"),
        ("debit", "something Qonto adds tomorrow", "400"),
    ],
)
def test_a_line_is_coded_to_what_the_customer_chose(side: str, operation_type: str, code: str) -> None:
    assert CHOSEN.code_for(side, operation_type) == code


@pytest.mark.parametrize(("side", "operation_type"), [("credit", "income"), ("debit", "card"), ("debit", FEE)])
def test_a_line_without_a_choice_is_coded_to_the_account_we_made(side: str, operation_type: str) -> None:
    assert NOTHING_CHOSEN.code_for(side, operation_type) == "Q1"


def test_a_missing_choice_for_fees_does_not_fall_back_to_money_out() -> None:
    assert CodingCodes("200", "400", "", "Q1").code_for("debit", FEE) == "Q1"


def test_there_is_no_code_while_xero_has_no_account_for_it() -> None:
    assert CodingCodes("", "", "", "").code_for("debit", "card") == ""
