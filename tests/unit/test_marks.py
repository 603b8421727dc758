"""Marks are written into Xero for ever: the same input must give the same mark in every version."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.marks import MARK_LENGTH, account_mark, coding_mark


def test_marks_never_change_between_versions() -> None:
    assert account_mark("0193aa10-0000-7000-8000-000000000001", 1) == "QEJY53SHZV"
    assert account_mark("0193aa10-0000-7000-8000-000000000001", 2) == "Q4NICY25NX"
    assert coding_mark("5b0c4c0e-6a41-4b7e-9a7c-0d5f2b7e1a10", 1) == "QZFPNLG7YF"


@given(st.text(), st.integers(1, 50))
def test_a_mark_is_a_code_that_xero_takes(bank_account_id: str, generation: int) -> None:
    mark = account_mark(bank_account_id, generation)

    assert len(mark) == MARK_LENGTH
    assert mark.startswith("Q")
    assert mark.isascii()
    assert mark.isalnum()


def test_accounts_generations_and_purposes_never_share_a_mark() -> None:
    marks = [account_mark(f"account-{n}", generation) for n in range(100) for generation in range(1, 21)]
    marks += [coding_mark(f"account-{n}", generation) for n in range(100) for generation in range(1, 21)]

    assert len(set(marks)) == len(marks)
