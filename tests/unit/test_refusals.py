"""What Xero's validation messages mean: what can pass by itself, and what a person must see."""

from __future__ import annotations

import pytest

from domain.reasons import Held, Rejected
from domain.refusals import MOST_REFUSALS, meaning


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "The document date cannot be before the period lock date, currently set at 31 Oct 2026",
            Held.LOCK_DATE,
        ),
        (
            "The document cannot be edited as it is currently dated before the end of year lock date",
            Held.LOCK_DATE,
        ),
        ("Organisation is not subscribed to currency EUR", Held.CURRENCY),
        ("The current organisation is not subscribed to currency 'EUR'.", Held.CURRENCY),
        ("Account code '999' is not a valid code for this document.", Held.CODING_ACCOUNT),
        (
            "Account code '310' has been archived, or has been deleted. Each line item must reference a valid account.",
            Held.CODING_ACCOUNT,
        ),
        (
            "The contact with the specified contact details has been archived. The contact must be un-archived first.",
            Held.CONTACT,
        ),
    ],
)
def test_what_may_pass_is_held_however_often_it_was_tried(message: str, reason: Held) -> None:
    assert meaning([message], refusals=1, alone=False) == reason
    assert meaning(["Something else.", message.upper()], refusals=100, alone=False) == reason


@pytest.mark.parametrize("messages", [["The TaxType field is mandatory"], ["Account must be valid"], []])
def test_what_we_do_not_know_is_tried_on_three_nights_and_then_rejected(messages: list[str]) -> None:
    nights = [meaning(messages, refusals, alone=False) for refusals in range(1, MOST_REFUSALS + 1)]

    assert nights == [Held.REFUSED, Held.REFUSED, Rejected.REFUSED]
