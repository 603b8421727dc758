"""Awaited transactions: one row each, however often one page lists it."""

from __future__ import annotations

from datetime import timedelta

from domain.reasons import Awaited as Why
from models.awaited_transaction import Awaited, await_transactions, awaited_of
from tests.factories import NOW


def test_a_transaction_listed_twice_on_one_page_is_awaited_as_it_was_last(database: str) -> None:
    first = Awaited("t1", Why.UNREADABLE, NOW, None)
    last = Awaited("t1", Why.NOT_SETTLED, NOW + timedelta(minutes=1), -100)
    other = Awaited("t2", Why.UNREADABLE, NOW + timedelta(minutes=2), None)

    await_transactions("tenant", "account", [first, other, last], NOW)

    found = [(row.transaction_id, row.reason, row.signed_cents) for row in awaited_of("tenant", "account")]
    assert found == [("t1", Why.NOT_SETTLED, -100), ("t2", Why.UNREADABLE, None)]
