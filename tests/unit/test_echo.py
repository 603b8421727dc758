"""Xero's answers held against what was sent: what differs, and of which element a refusal without a link is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.echo import differences, refused_elements


@dataclass(frozen=True)
class Shown:
    """An answer that shows nothing but what a test says."""

    type: str = ""
    total: Decimal = Decimal(0)
    day: date | None = None
    account_id: str = ""
    currency_code: str = ""
    reference: str = ""
    contact_name: str = ""
    messages: list[str] = field(default_factory=lambda: ["refused"])


def element(name: str, cents: int = 100, contact: str = "Nube", reference: str = "") -> dict[str, Any]:
    sent = {
        "Url": name,
        "Type": "SPEND",
        "Contact": {"Name": contact},
        "LineItems": [{"UnitAmount": Decimal(cents) / 100}],
        "BankAccount": {"AccountID": "a1"},
        "Date": "2026-11-20",
    }
    return sent | {"Reference": reference} if reference else sent


def matched(sent: list[dict[str, Any]], *refused: Shown) -> dict[str, Shown]:
    return {one["Url"]: answer for one, answer in refused_elements(sent, refused)}


def test_an_answer_that_shows_what_was_sent_differs_in_nothing() -> None:
    shown = Shown("SPEND", Decimal("1.0"), date(2026, 11, 20), "A1", "EUR")

    assert differences(element("u"), "EUR", shown) == ""
    assert differences(element("u"), "EUR", Shown()) == ""


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (Shown(total=Decimal("1.01")), "amount 1.00 is 1.01 in Xero"),
        (Shown(type="RECEIVE"), "direction SPEND is RECEIVE in Xero"),
        (Shown(account_id="a2"), "account a1 is a2 in Xero"),
        (Shown(day=date(2026, 11, 21)), "date 2026-11-20 is 2026-11-21 in Xero"),
        (Shown(currency_code="USD"), "currency EUR is USD in Xero"),
    ],
)
def test_each_difference_is_named(shown: Shown, told: str) -> None:
    assert differences(element("u"), "EUR", shown) == told


def test_one_refusal_is_of_the_one_element_that_is_left() -> None:
    assert matched([element("u")], Shown()) == {"u": Shown()}


def test_refusals_are_told_apart_by_what_they_show_and_the_last_by_elimination() -> None:
    large, small = Shown(total=Decimal(3), messages=["large"]), Shown(messages=["small"])

    assert matched([element("u1"), element("u3", 300)], small, large) == {"u1": small, "u3": large}


def test_refusals_that_could_be_either_are_matched_only_if_their_words_are_the_same() -> None:
    sent = [element("u1"), element("u2")]

    assert len(matched(sent, Shown(), Shown())) == 2
    assert matched(sent, Shown(messages=["one"]), Shown(messages=["other"])) == {}


def test_nothing_is_matched_unless_each_element_has_its_refusal() -> None:
    assert matched([element("u1"), element("u2", 200)], Shown(total=Decimal(2))) == {}
    assert matched([element("u1")], Shown(), Shown()) == {}
    assert matched([element("u1")], Shown(contact_name="Bakery")) == {}
    assert matched([]) == {}
