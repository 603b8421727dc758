"""Reading Qonto: its list moves while it is read, and still every row is read once."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

import pytest

from models.bank_account import Cursor
from models.quarantine import Quarantine
from services.read_transactions import walk
from services.view_accounts import view_accounts
from tests.acceptance.world import NIGHT, Office, Row, before, read_log, spends

pytestmark = pytest.mark.acceptance

IN_2190 = {"updated_at": "2190-01-01T00:00:00Z"}


def test_rows_edited_while_the_list_is_read_shift_none_out_of_sight(office: Office) -> None:
    company = office.connected()
    rows = company.moves(*(spends(100 + number) for number in range(150)))

    def a_person_edits() -> None:
        for row in rows[:40]:
            company.at_qonto(f"transactions/{row}", {"note": "receipt attached"})

    office.at_23()
    with before("services.store_transactions.insert_new", a_person_edits):
        office.run_until_quiet()

    assert company.states() == {"posted": 150}


@pytest.mark.parametrize("bound", ["inclusive", "exclusive"])
def test_a_crowd_of_one_moment_larger_than_a_page_is_read_whole(office: Office, bound: str) -> None:
    office.world.settings(updated_at_from=bound)
    company = office.connected()
    moment = {"updated_at": office.world.now.isoformat(), "settled_at": office.world.now.isoformat()}
    company.moves(*(spends(100 + number, **moment) for number in range(150)))
    company.moves(spends(1), spends(2))

    office.night()

    assert company.states() == {"posted": 152}


@pytest.mark.parametrize("bound", ["inclusive", "exclusive"])
def test_every_page_goes_on_where_the_last_one_ended(office: Office, bound: str) -> None:
    office.world.settings(updated_at_from=bound)
    company = office.connected()
    company.moves(*(spends(100 + number) for number in range(230)))

    office.night()

    assert company.states() == {"posted": 230}


@pytest.mark.parametrize("place", [5, 99], ids=["within a page", "at the end of a page"])
def test_a_wrong_moment_in_the_future_hides_no_row_of_the_next_page(office: Office, place: int) -> None:
    company = office.connected()
    rows = company.moves(*(spends(100 + number) for number in range(150)))
    office.qonto_says(lambda row: row | IN_2190 if row["id"] == rows[place] else row)

    office.night()

    assert company.states() == {"posted": 150}


def test_a_reading_that_ends_at_a_page_with_a_wrong_moment_goes_on_behind_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = office.connected()
    rows = company.moves(*(spends(100 + number) for number in range(150)))
    office.world.wait(hours=3)
    office.qonto_says(lambda row: row | IN_2190 if row["id"] == rows[5] else row)
    office.at_23()
    with monkeypatch.context() as patch:
        patch.setattr("services.import_transactions.walk", lambda *ask: islice(walk(*ask), 1))
        patch.setattr("services.import_transactions.explain_drift", lambda *_: None)
        office.run_until_quiet()
    assert company.states() == {"posted": 100}
    passed = Cursor.read_until > office.world.now - timedelta(hours=2)
    assert not Cursor.select().where(passed).exists(), "a row may follow, so the cursor stays before it"

    office.restart()
    office.night()

    assert company.states() == {"posted": 150}


def test_a_late_settlement_dated_yesterday_is_sent_with_yesterdays_date(office: Office) -> None:
    company = office.established()
    [late] = company.moves(spends(100, status="pending"))
    office.night()
    yesterday = office.world.now - timedelta(days=1)
    company.at_qonto(f"transactions/{late}/settle", {"settled_at": yesterday.isoformat()})

    office.night()

    assert company.row(late)["date"] == (yesterday + timedelta(hours=1)).date().isoformat()


def test_a_row_that_qonto_shows_late_is_read_the_next_night(office: Office) -> None:
    company = office.established()
    office.world.settings(qonto_list_lag=90)
    office.world.move_to(office.world.next(NIGHT) - timedelta(seconds=30))
    company.moves(spends(100))
    office.night()
    assert company.states() == {}

    office.night()

    assert company.states() == {"posted": 1}


def test_a_missing_row_breaks_the_chain_of_balances_and_is_read_again(office: Office) -> None:
    company = office.connected()
    _, hidden, _ = company.moves(spends(100), spends(200), spends(300))
    office.at_23()
    hide = Hiding(hidden, times=1)
    office.qonto_lists(hide)

    office.run_until_quiet()

    assert hide.hidden == 1
    assert company.states() == {"posted": 3}
    assert company.runs()[-1].reason == ""


def test_a_chain_that_stays_broken_is_shown_and_holds_nothing(office: Office) -> None:
    company = office.connected()
    _, hidden, last = company.moves(spends(100), spends(200), spends(300))
    office.qonto_lists(Hiding(hidden, times=99))

    office.night()

    assert company.states() == {"posted": 2}
    assert last in company.runs()[-1].reason
    assert [account.balances_break_at for account in view_accounts(company.connection)] == [last]
    office.restart()
    office.night()
    assert company.states() == {"posted": 3}
    assert [account.balances_break_at for account in view_accounts(company.connection)] == [""]


@pytest.mark.parametrize(
    "damage",
    [
        {"amount_cents": 101},
        {"side": "sideways"},
        {"updated_at": None},
        {"settled_at": "yesterday"},
        {"amount": 1.02},
        {"id": 7},
    ],
)
def test_an_unreadable_row_goes_to_quarantine_and_holds_nothing(office: Office, damage: Row) -> None:
    company = office.connected()
    first, odd, last = company.moves(spends(100), spends(100), spends(300))
    office.qonto_says(lambda row: row | damage if row["id"] == odd else row)

    office.night()

    assert company.state(first) == company.state(last) == "posted"
    assert odd.encode() in Quarantine.get().payload or "id" in damage
    assert company.account_id in Quarantine.get().source
    company.missing[odd] = "unknown"


def test_a_row_in_quarantine_is_kept_there_once_however_often_it_is_read(office: Office) -> None:
    company = office.connected()
    [odd] = company.moves(spends(100))
    office.qonto_says(lambda row: row | {"side": "sideways"})

    office.night()
    office.night()

    assert Quarantine.select().count() == 1
    company.missing[odd] = "unknown"


def test_only_what_changed_since_the_last_night_is_asked_for(office: Office) -> None:
    company = office.connected()
    company.moves(*(spends(100 + number) for number in range(150)))
    office.night()
    office.world.wait(hours=5)
    company.moves(spends(1))
    office.night()
    office.world.wait(hours=5)
    [new] = company.moves(spends(2))
    office.at_23()
    asked = office.world.last_request()

    office.run_until_quiet()

    assert len([r for r in read_log(office.world, asked) if r.path == "/v2/transactions"]) == 1
    assert company.state(new) == "posted"


def test_a_shop_that_charged_nothing_in_its_own_currency_is_stored_so(office: Office) -> None:
    company = office.connected()
    [free] = company.moves(spends(100, local_amount_cents=0, local_currency="USD"))

    office.night()

    posting = company.posting(free)
    assert (posting.local_amount_cents, posting.local_currency) == (0, "USD")


class Hiding:
    """Leaves one transaction out of Qonto's lists, so often."""

    def __init__(self, transaction_id: str, times: int) -> None:
        self._id, self._times = transaction_id, times
        self.hidden = 0

    def __call__(self, rows: list[Row]) -> list[Row]:
        kept = [row for row in rows if row["id"] != self._id or self.hidden >= self._times]
        self.hidden += len(rows) - len(kept)
        return kept
