"""What follows from another version of a transaction."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.changes import Follows, changed, described, is_older, state_after, what_follows
from domain.reasons import Excluded, Held

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
STORED: dict[str, Any] = {
    "side": "debit",
    "amount_cents": 1_000,
    "currency": "EUR",
    "date": date(2026, 11, 20),
    "local_amount_cents": 1_000,
    "local_currency": "EUR",
    "operation_type": "card",
    "label": "FRAIS",
    "counterparty": "",
    "reference": "",
    "card_last_digits": "",
}
DUE, EXCLUDED = ("due", ""), ("excluded", Excluded.ZERO_AMOUNT)


@pytest.mark.parametrize(
    ("state", "reason", "follows"),
    [
        ("due", "", Follows.STORE),
        ("excluded", Excluded.BEFORE_START, Follows.STORE),
        ("rejected", "refused_by_xero", Follows.STORE),
        ("held", Held.LOCK_DATE, Follows.STORE),
        ("held", Held.NO_ANSWER, Follows.STORE),
        ("held", Held.TWICE_IN_XERO, Follows.NOTE),
        ("held", Held.UNRECOGNISED, Follows.NOTE),
        ("sending", "", Follows.WAIT),
        ("uncertain", "", Follows.WAIT),
        ("posted", "", Follows.NOTE),
        ("deleted_in_xero", "", Follows.NOTE),
    ],
)
def test_only_what_was_never_sent_is_stored_as_it_is_now(state: str, reason: str, follows: Follows) -> None:
    assert what_follows(state, reason) == follows


def test_a_change_names_money_and_days_as_they_were_and_are_and_texts_by_their_names() -> None:
    given = STORED | {"amount_cents": 1_500, "date": date(2026, 11, 21), "label": "Acme", "counterparty": "Acme"}

    names = changed(STORED, given)

    assert described(STORED, given, names) == (
        "from -10.00 EUR to -15.00 EUR; from 2026-11-20 to 2026-11-21; label, counterparty"
    )


def test_what_a_shop_charged_is_a_change_of_its_own_only_in_another_currency() -> None:
    assert changed(STORED, STORED | {"local_amount_cents": 7}) == []
    foreign = STORED | {"local_amount_cents": 1_100, "local_currency": "USD"}
    assert changed(foreign, foreign | {"local_amount_cents": 1_200}) == ["local_amount_cents"]
    assert changed(STORED, foreign) == ["local_amount_cents", "local_currency"]


@pytest.mark.parametrize(
    ("stored", "older"),
    [(None, False), (NOW - timedelta(hours=1), False), (NOW, False), (NOW + timedelta(days=1_000), False)],
)
def test_a_version_is_not_older_than_none_an_earlier_one_or_one_of_the_future(
    stored: datetime | None, older: bool
) -> None:
    assert is_older(stored, NOW, NOW) is older


def test_a_version_from_before_the_stored_one_is_older() -> None:
    assert is_older(NOW - timedelta(minutes=1), NOW - timedelta(minutes=2), NOW)


@pytest.mark.parametrize(
    ("stored", "first", "names", "settled_otherwise", "after"),
    [
        (("due", ""), DUE, [], False, None),
        (("due", ""), DUE, ["label"], False, None),
        (("held", Held.LOCK_DATE), DUE, ["amount_cents"], False, None),
        (("held", Held.CURRENCY_DIFFERS), DUE, ["currency"], False, DUE),
        (("due", ""), ("held", Held.CURRENCY_DIFFERS), ["currency"], False, ("held", Held.CURRENCY_DIFFERS)),
        (("rejected", "refused_by_xero"), DUE, ["label"], False, DUE),
        (("rejected", "refused_by_xero"), DUE, [], False, None),
        (("held", Held.LOCK_DATE), EXCLUDED, ["amount_cents"], False, EXCLUDED),
        (("due", ""), ("excluded", Excluded.BEFORE_START), ["label"], False, None),
        (("due", ""), ("excluded", Excluded.BEFORE_START), [], True, ("excluded", Excluded.BEFORE_START)),
        (("excluded", Excluded.BEFORE_START), DUE, [], False, DUE),
        (("excluded", Excluded.TAKEN_BACK), DUE, [], False, DUE),
        (EXCLUDED, EXCLUDED, [], False, None),
        (("excluded", Excluded.ACCOUNT_GONE), DUE, ["label"], False, None),
    ],
)
def test_what_waits_for_something_outside_goes_on_waiting_and_what_our_rules_decide_is_decided_again(
    stored: tuple[str, str],
    first: tuple[str, str],
    names: list[str],
    settled_otherwise: bool,
    after: tuple[str, str] | None,
) -> None:
    assert state_after(stored, first, names, settled_otherwise=settled_otherwise) == after
