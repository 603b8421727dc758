"""Rows that Qonto lists and that cannot be stored yet: none is passed by, whatever the list does meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from models.awaited_transaction import AwaitedTransaction
from models.bank_account import Cursor
from tests.acceptance.world import Office, Row, read_log, spends

pytestmark = pytest.mark.acceptance


def without_settlement(row: Row) -> Row:
    return row | {"settled_at": None, "settled_balance": None, "settled_balance_cents": None}


def not_completed(row: Row) -> Row:
    return row | {"status": "pending"}


def unreadable(row: Row) -> Row:
    return row | {"side": "sideways"}


def without_place(row: Row) -> Row:
    return row | {"updated_at": None}


def awaited() -> list[str]:
    return [row.transaction_id for row in AwaitedTransaction.select() if row.ended_at is None]


def shows(office: Office, transaction_id: str, damage: object) -> None:
    office.qonto_says(lambda row: damage(row) if row["id"] == transaction_id else row)  # type: ignore[operator]


@pytest.mark.parametrize("damage", [without_settlement, not_completed, unreadable, without_place])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_row_that_is_whole_only_later_is_sent_then(office: Office, damage: object, is_first: bool) -> None:
    company = office.connected()
    if not is_first:
        company.moves(spends(50))
        office.world.wait(hours=3)
    [late] = company.moves(spends(4_730))
    office.world.wait(hours=3)
    company.moves(spends(200))
    shows(office, late, damage)
    office.night()
    assert company.state(late) == "unknown"
    assert awaited() == [late]
    office.world.wait(hours=12)
    company.moves(spends(300))
    office.night()
    office.restart()

    office.night()

    assert company.state(late) == "posted"
    assert awaited() == []


def test_what_is_awaited_costs_one_call_a_night_and_holds_nothing_up(office: Office) -> None:
    company = office.established()
    [late] = company.moves(spends(100))
    office.world.wait(hours=3)
    company.moves(*(spends(200 + number) for number in range(150)))
    shows(office, late, without_settlement)
    office.night()
    office.world.wait(hours=12)
    company.moves(spends(1))
    office.night()
    office.at_23()
    asked = office.world.last_request()

    office.run_until_quiet()

    assert len(lists_asked_for(office, asked)) == 2
    assert company.states() == {"posted": 151}
    assert awaited() == [late]
    company.missing[late] = "unknown"


def test_a_row_that_qonto_lists_no_more_is_awaited_until_a_second_night_misses_it_too(office: Office) -> None:
    company = office.established()
    company.moves(spends(100))
    office.qonto_lists(lambda rows: [without_settlement(row) | {"id": "taken-back"} for row in rows[:1]] + rows)
    office.night()
    assert awaited() == ["taken-back"]
    office.world.wait(hours=3)
    company.moves(spends(200))
    office.restart()
    office.night()
    assert awaited() == ["taken-back"]

    office.night()

    assert awaited() == []


def test_a_row_dated_in_the_future_hides_nothing_that_follows(office: Office) -> None:
    company = office.connected()
    company.moves(spends(100, updated_at=(office.world.now + timedelta(days=2_000)).isoformat()))
    office.night()
    until = Cursor.get().read_until
    office.world.wait(hours=12)
    [later] = company.moves(spends(200))

    office.night()

    assert until <= office.world.now - timedelta(hours=12)
    assert company.state(later) == "posted"


def test_what_was_once_left_out_as_not_completed_is_found_by_the_balance(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = office.established()
    [late] = company.moves(spends(4_730))
    office.world.wait(hours=4)
    company.moves(spends(200))
    shows(office, late, not_completed)
    with monkeypatch.context() as before:
        before.setattr("services.store_transactions.why_awaited", lambda *_: None)
        office.at_23()
        before.setattr("services.import_transactions.explain_drift", lambda *_: None)
        office.run_until_quiet()
    assert company.state(late) == "excluded: not_completed"
    office.restart()

    office.night()

    assert company.state(late) == "posted"


def lists_asked_for(office: Office, after: int) -> list[datetime]:
    return [request.at for request in read_log(office.world, after) if request.path == "/v2/transactions"]
