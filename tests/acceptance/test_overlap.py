"""What Qonto shows late, of a moment that was read long ago, where no balance tells that it is missing."""

from __future__ import annotations

import pytest

from tests.acceptance.world import Office, Row, spends

pytestmark = pytest.mark.acceptance


def without_balance(row: Row) -> Row:
    return row | {"settled_balance": None, "settled_balance_cents": None}


def test_a_row_older_than_the_newest_that_was_read_is_still_found_when_it_is_shown_late(office: Office) -> None:
    company = office.established()
    late, newest = company.moves(spends(100), spends(200))
    office.qonto_lists(lambda rows: [without_balance(row) for row in rows if row["id"] != late])
    office.night()
    assert company.states() == {"posted": 1}
    assert company.state(newest) == "posted"
    office.restart()
    office.qonto_says(without_balance)

    office.night()

    assert company.state(late) == "posted"
