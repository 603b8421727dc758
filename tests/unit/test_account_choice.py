"""Which Xero account belongs to a Qonto account: ours if it is there, a new generation if it is gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from domain.account_choice import GENERATIONS_AHEAD, Choice, Create, InXero, KnownLink, LeaveOut, Use, choose
from domain.marks import account_mark
from domain.reasons import LeftOut

OURS = "bank-account-1"
SOMEBODY_ELSES = [InXero("other-1", "090", "ACTIVE"), InXero("other-2", "", "ACTIVE")]

Choose = Callable[..., Choice]


def _marked(generation: int, status: str = "ACTIVE") -> InXero:
    return InXero(f"xero-{generation}", account_mark(OURS, generation), status)


@pytest.fixture
def choose_among() -> Choose:
    """The choice for our account, given what Xero lists."""

    def decide(
        *in_xero: InXero,
        links: Sequence[KnownLink] = (),
        status: str = "active",
        is_external: bool = False,
        has_rows: bool = False,
    ) -> Choice:
        listed = [*SOMEBODY_ELSES, *in_xero]
        by_code = {account.code: account for account in listed if account.code}
        by_id = {account.account_id: account for account in listed}
        return choose(OURS, status, is_external, links, by_code, by_id, has_rows=has_rows)

    return decide


def test_an_account_that_xero_has_never_had_is_created(choose_among: Choose) -> None:
    assert choose_among() == Create(1)


def test_an_account_whose_creation_was_answered_is_used(choose_among: Choose) -> None:
    assert choose_among(_marked(1), links=[KnownLink(1, "xero-1")]) == Use(1, "xero-1")


def test_an_account_whose_creation_had_no_answer_is_found_by_its_mark(choose_among: Choose) -> None:
    assert choose_among(_marked(1), links=[KnownLink(1, "")]) == Use(1, "xero-1")


def test_a_creation_that_never_happened_is_asked_for_again_under_the_same_mark(choose_among: Choose) -> None:
    assert choose_among(links=[KnownLink(1, "")]) == Create(1)
    assert choose_among(_marked(1, "ARCHIVED"), links=[KnownLink(2, "")]) == Create(2)


def test_a_creation_without_an_answer_is_not_mistaken_for_an_account_without_an_id(choose_among: Choose) -> None:
    taken_name = InXero(account_id="", code="", status="ARCHIVED")

    assert choose_among(taken_name, links=[KnownLink(1, "")]) == Create(1)


def test_an_account_from_before_our_memory_began_is_adopted_by_its_mark(choose_among: Choose) -> None:
    assert choose_among(_marked(1, "ARCHIVED"), _marked(2)) == Use(2, "xero-2")
    assert choose_among(_marked(1 + GENERATIONS_AHEAD)) == Use(1 + GENERATIONS_AHEAD, f"xero-{1 + GENERATIONS_AHEAD}")


def test_an_account_whose_code_the_customer_changed_is_still_ours_by_its_id(choose_among: Choose) -> None:
    renamed = InXero("xero-1", "512", "ACTIVE")

    assert choose_among(renamed, links=[KnownLink(1, "xero-1")]) == Use(1, "xero-1")


@pytest.mark.parametrize("status", ["ARCHIVED", "DELETED"])
def test_an_account_that_a_person_archived_is_made_again_under_a_new_mark(choose_among: Choose, status: str) -> None:
    assert choose_among(_marked(1, status), links=[KnownLink(1, "xero-1")]) == Create(2)


def test_an_account_that_a_person_deleted_from_the_list_is_made_again_under_a_new_mark(choose_among: Choose) -> None:
    assert choose_among(links=[KnownLink(3, "xero-3")]) == Create(4)


def test_a_new_generation_is_higher_than_any_in_xero_and_in_our_memory(choose_among: Choose) -> None:
    assert choose_among(_marked(5, "ARCHIVED"), links=[KnownLink(2, "xero-2")]) == Create(6)
    assert choose_among(_marked(1, "ARCHIVED"), links=[KnownLink(4, "xero-4")]) == Create(5)
    assert choose_among(_marked(3, "ARCHIVED"), _marked(2, "ARCHIVED")) == Create(4)


def test_of_two_active_accounts_of_ours_the_newest_is_used(choose_among: Choose) -> None:
    assert choose_among(_marked(1), _marked(2), links=[KnownLink(1, "xero-1")]) == Use(2, "xero-2")


def test_an_older_generation_that_a_person_restored_is_used_when_the_newer_one_is_archived(
    choose_among: Choose,
) -> None:
    assert choose_among(_marked(1), _marked(2, "ARCHIVED"), links=[KnownLink(2, "xero-2")]) == Use(1, "xero-1")


def test_an_account_of_somebody_else_is_never_ours(choose_among: Choose) -> None:
    stranger = InXero("stranger", account_mark("bank-account-2", 1), "ACTIVE")

    assert choose_among(stranger) == Create(1)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("closed", LeftOut.CLOSED),
        ("pending", LeftOut.NOT_ACTIVE),
        ("waiting_for_funds", LeftOut.NOT_ACTIVE),
        ("something new", LeftOut.NOT_ACTIVE),
    ],
)
def test_an_account_that_is_not_active_in_qonto_is_not_made(choose_among: Choose, status: str, why: LeftOut) -> None:
    assert choose_among(status=status) == LeaveOut(why)


def test_a_closed_account_that_was_never_in_xero_is_made_for_its_rows(choose_among: Choose) -> None:
    assert choose_among(status="closed", has_rows=True) == Create(1)
    assert choose_among(status="closed", has_rows=True, links=[KnownLink(1, "")]) == Create(1)
    assert choose_among(status="pending", has_rows=True) == LeaveOut(LeftOut.NOT_ACTIVE)


@pytest.mark.parametrize("has_rows", [True, False])
def test_a_closed_account_that_was_taken_out_of_xero_is_not_made_again(choose_among: Choose, has_rows: bool) -> None:
    known = {"status": "closed", "has_rows": has_rows}

    assert choose_among(_marked(1, "ARCHIVED"), links=[KnownLink(1, "xero-1")], **known) == LeaveOut(LeftOut.GONE)
    assert choose_among(links=[KnownLink(1, "xero-1")], **known) == LeaveOut(LeftOut.GONE)
    assert choose_among(_marked(1, "ARCHIVED"), **known) == LeaveOut(LeftOut.GONE)


def test_a_closed_account_still_has_its_account_in_xero(choose_among: Choose) -> None:
    assert choose_among(_marked(1), links=[KnownLink(1, "xero-1")], status="closed") == Use(1, "xero-1")


def test_an_account_at_another_bank_is_left_out_even_if_xero_has_one(choose_among: Choose) -> None:
    assert choose_among(_marked(1), is_external=True) == LeaveOut(LeftOut.EXTERNAL)


def test_an_older_account_whose_code_was_changed_is_known_by_its_id(choose_among: Choose) -> None:
    links = [KnownLink(1, "xero-1"), KnownLink(2, "xero-2")]

    assert choose_among(InXero("xero-1", "512", "ACTIVE"), _marked(2, "ARCHIVED"), links=links) == Use(1, "xero-1")
