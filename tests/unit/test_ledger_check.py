"""The comparison of three books, one class and one line at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.ledger_check import Class, Duty, Expected, Finding, InLedger, Said, compare, count
from domain.ledger_check_lines import Line, lines_of_books, merge

DAY = date(2026, 11, 20)
PAID = Expected("xero-1", "t1", "main", "debit", 4730, "EUR", DAY)
ROW = InLedger("xero-1", "b1", "t1", "main", "debit", 4730, "EUR", DAY)
POSTED = Said("xero-1", "t1", "posted", bank_transaction_id="b1")


def classes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.what, finding.transaction_id) for finding in findings]


def violated(expected: list[Expected], ledger: list[InLedger], said: list[Said]) -> list[str]:
    """The names of the lines that do not hold."""
    lines = lines_of_books(compare(expected, ledger, said), expected, ledger, said)
    return [line.name for line in lines if not line.holds]


def test_what_is_in_all_three_books_alike_is_no_finding() -> None:
    assert compare([PAID], [ROW], [POSTED]) == []
    assert violated([PAID], [ROW], [POSTED]) == []


def test_what_nobody_has_and_nobody_explains_is_lost() -> None:
    assert classes(compare([PAID], [], [])) == [(Class.LOST, "t1")]
    assert violated([PAID], [], []) == ["I2", "I17"]


@pytest.mark.parametrize("state", ["posted", "due", "sending", "uncertain", "deleted_in_xero", "held", "excluded"])
def test_a_state_without_a_reason_does_not_say_why_it_is_not_in_xero(state: str) -> None:
    assert classes(compare([PAID], [], [Said("xero-1", "t1", state)])) == [(Class.LOST, "t1")]


@pytest.mark.parametrize("state", ["held", "rejected", "excluded"])
def test_what_has_a_reason_is_said_and_not_lost(state: str) -> None:
    said = [Said("xero-1", "t1", state, "lock_date")]
    assert classes(compare([PAID], [], said)) == [(Class.SAID, "t1")]
    assert violated([PAID], [], said) == []


@pytest.mark.parametrize("state", ["due", "sending", "uncertain"])
def test_what_is_on_its_way_while_a_run_is_open_is_to_come(state: str) -> None:
    said = [Said("xero-1", "t1", state)]
    assert classes(compare([PAID], [], said, at_work=True)) == [(Class.TO_COME, "t1")]
    assert classes(compare([PAID], [ROW], said, at_work=True)) == [(Class.TO_COME, "t1")]


@pytest.mark.parametrize("duty", [Duty.TO_COME, Duty.MAY])
def test_what_no_night_has_had_to_read_is_not_lost(duty: Duty) -> None:
    assert classes(compare([replace(PAID, duty=duty)], [], [])) == [(Class.TO_COME, "t1")]
    assert compare([replace(PAID, duty=duty)], [ROW], [POSTED]) == []


def test_a_second_row_is_a_duplicate_even_when_it_is_deleted() -> None:
    rows = [ROW, replace(ROW, id="b2", is_deleted=True)]
    [found] = compare([PAID], rows, [POSTED])
    assert (found.what, found.bank_transaction_ids) == (Class.DUPLICATED, ("b1", "b2"))
    assert violated([PAID], rows, [POSTED]) == ["I1", "I3"]


def test_two_live_rows_break_the_sums_too() -> None:
    assert violated([PAID], [ROW, replace(ROW, id="b2")], [POSTED]) == ["I1", "I17"]


def test_a_row_for_which_qonto_has_nothing_is_unexpected() -> None:
    assert classes(compare([], [ROW], [POSTED])) == [(Class.UNEXPECTED, "t1")]
    assert violated([], [ROW], [POSTED]) == ["I17"]


def test_a_row_of_another_xero_organisation_is_in_the_wrong_tenant() -> None:
    elsewhere = {"t1": "xero-2"}
    assert classes(compare([], [ROW], [], elsewhere=elsewhere)) == [(Class.WRONG_TENANT, "t1")]
    both = [replace(PAID, tenant_id="xero-2"), replace(PAID, transaction_id="t2")]
    assert (Class.WRONG_TENANT, "t1") in classes(compare(both, [ROW], []))
    assert "I5" in violated(both, [ROW], [])


@pytest.mark.parametrize(
    "wrong",
    [{"cents": 4731}, {"side": "credit"}, {"currency": "USD"}, {"date": date(2026, 11, 21)}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_another_amount_side_currency_or_day_is_wrong(wrong: dict[str, object]) -> None:
    row = replace(ROW, **wrong)  # type: ignore[arg-type]
    assert classes(compare([PAID], [row], [POSTED])) == [(Class.WRONG_AMOUNT, "t1")]
    assert violated([PAID], [row], [POSTED]) == ["I17"]


def test_a_row_in_another_account_is_in_the_wrong_account() -> None:
    row = replace(ROW, account="taxes")
    assert classes(compare([PAID], [row], [POSTED])) == [(Class.WRONG_ACCOUNT, "t1")]
    assert violated([PAID], [row], [POSTED]) == ["I17"]


@pytest.mark.parametrize(
    "said",
    [
        [],
        [Said("xero-1", "t1", "due")],
        [Said("xero-1", "t1", "held", "no_answer")],
        [Said("xero-1", "t1", "posted", bank_transaction_id="another")],
        [Said("xero-1", "t1", "posted")],
        [Said("xero-1", "t1", "deleted_in_xero", bank_transaction_id="b1")],
    ],
    ids=["unknown", "due", "held", "another row", "no row", "deleted"],
)
def test_what_is_in_xero_though_we_do_not_say_so_is_recovered(said: list[Said]) -> None:
    assert classes(compare([PAID], [ROW], said)) == [(Class.RECOVERED, "t1")]


def test_a_row_whose_link_a_person_edited_away_is_known_by_its_id() -> None:
    assert compare([PAID], [replace(ROW, transaction_id="")], [POSTED]) == []


def test_a_deletion_is_right_before_and_after_we_have_seen_it() -> None:
    gone = [replace(ROW, is_deleted=True)]
    for state in ("posted", "deleted_in_xero"):
        said = [replace(POSTED, state=state)]
        assert compare([PAID], gone, said) == []
        assert violated([PAID], gone, said) == []


def test_every_class_is_counted() -> None:
    counts = count(compare([PAID], [], []))
    assert counts[Class.LOST] == 1
    assert set(counts) == set(Class)


def test_a_line_says_that_it_holds_or_names_what_violates_it() -> None:
    assert str(Line("I1")).endswith(": holds")
    assert str(Line("I1", ["t1", "t2"])).endswith("VIOLATED (2): t1; t2")


def test_lines_of_several_books_become_one_in_their_order() -> None:
    merged = merge([Line("I17"), Line("I2", ["a"]), Line("I17", ["b"]), Line("I2", ["c"])])
    assert [(line.name, line.violations) for line in merged] == [("I2", ["a", "c"]), ("I17", ["b"])]
