"""What the operations page shows: read once in ten seconds, and the same as everybody else is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from domain.reasons import Held, Waits
from models.database import DatabaseUnreachable
from models.states import PostingState, RunKind, RunState
from services.view_night import view_night
from settings import Secret
from tests.factories import (
    NOW,
    TODAY,
    make_call_budget,
    make_connection,
    make_invariant_check,
    make_outbox_message,
    make_posting,
    make_quarantine,
    make_sync_run,
)
from tests.unit.test_operations_login import PASSWORD, basic
from web.exchange import Asked, Told
from web.operations import figures
from web.operations.figures import FRESH_SECONDS, PAST_SECONDS, Figures, Look
from web.operations.site import OVERVIEW, OperationsSite

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LATER = NOW + 12 * MINUTE
ROW = re.compile(r'<th scope="row"[^>]*>([^<]*?)\s*(?:<small>[^<]*</small>)?</th>\s*<td[^>]*>(.*?)</td>', re.DOTALL)


@pytest.fixture
def elsewhere() -> Iterator[ThreadPoolExecutor]:
    """A thread with a connection of its own, as the server's threads have."""
    with ThreadPoolExecutor(1) as thread:
        yield thread


@pytest.fixture
def clockwork(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds, as the page counts them."""
    seconds = [1000.0]
    monkeypatch.setattr("web.operations.figures.time.monotonic", lambda: seconds[0])
    return seconds


def _night(state: RunState, **columns: Any) -> None:
    make_sync_run(**{"kind": RunKind.NIGHTLY, "state": state, **columns})


def _asked(query: dict[str, str] | None = None, **headers: str) -> Asked[Any]:
    return Asked(OVERVIEW, "/", headers or basic("ada"), {}, query or {}, {}, "192.0.2.1", "reference")


def _served(elsewhere: ThreadPoolExecutor, query: dict[str, str] | None = None) -> Told:
    site = OperationsSite(lambda: LATER, Secret(PASSWORD), "127.0.0.1")
    return elsewhere.submit(site.serve, _asked(query)).result()


def _rows(html: str) -> dict[str, str]:
    """What stands beside each row's heading, thin spaces and all markup left out."""
    return {unescape(name): re.sub(r"<[^>]*>|\u202f", "", value).strip() for name, value in ROW.findall(html)}


def test_the_page_has_the_figures_that_the_night_has(database: str, elsewhere: ThreadPoolExecutor) -> None:
    for minute in (3, 8, 9):
        _night(RunState.DONE, finished_at=NOW + minute * MINUTE, posted=1_234)
    _night(RunState.WAITING, code=Waits.LIMIT, wake_at=NOW)
    connection = make_connection()
    make_posting(connection=connection, state=PostingState.HELD, reason=Held.LOCK_DATE)
    make_posting(connection=connection, state=PostingState.UNCERTAIN, changed_at=NOW)
    make_outbox_message(created_at=LATER - 2 * MINUTE)
    make_quarantine(created_at=NOW - 2 * MINUTE)
    make_invariant_check(name="I22", violations=3)
    make_call_budget(scope="a", day_left=3_120, day_heard_at=NOW)
    view = view_night(LATER)

    told = _served(elsewhere)

    html, rows = told.body.replace("\u202f", " "), _rows(told.body)
    assert (tonight := view.tonight) is not None
    assert told.status == 200
    assert f"{tonight.states['done']} of {tonight.total} organisations done" in html
    assert f"{tonight.done_ratio:.1%}".replace("%", " %") in html
    assert f"<dd>{tonight.posted:,}".replace(",", " ") in html
    assert tonight.projected_end is not None
    assert f"done at {tonight.projected_end + timedelta(hours=1):%H:%M}" in html
    assert "deadline 23:30" in html
    assert {name: rows[name] for name in tonight.states} == {n: str(count) for n, count in tonight.states.items()}
    assert {name: rows[name] for name in ("uncertain", "held")} == {"uncertain": "1", "held": "1"}
    assert (rows["lane nightly"], rows["outbox jobs"], rows["quarantine"]) == ("1", "1", "1")
    assert (rows["live"], rows["I22"]) == (str(view.connections["live"]), "no, 3&nbsp;×")
    for problem in view.problems:
        assert unescape(html).count(problem.sentence) == 1
    assert "3 120 calls" in html
    assert "20 November" in html


def test_no_name_of_a_customer_is_on_it(database: str, elsewhere: ThreadPoolExecutor) -> None:
    _night(RunState.FAILED, code="xero_access_ended", reason="canary")
    make_posting(state=PostingState.HELD, reason=Held.LOCK_DATE, counterparty="canary", label="canary")

    assert not re.search("canary|Farolillo|farolillo|organisation-|tenant-", _served(elsewhere).body)


def test_a_page_that_keeps_still_is_not_asked_for_again(database: str, elsewhere: ThreadPoolExecutor) -> None:
    assert _served(elsewhere).headers["Refresh"] == "30"
    assert "Refresh" not in _served(elsewhere, {"still": ""}).headers


def test_figures_are_read_once_in_ten_seconds_however_often_they_are_asked_for(
    database: str, elsewhere: ThreadPoolExecutor, clockwork: list[float]
) -> None:
    look = Look(lambda: LATER)

    def looked_at() -> Figures:
        return elsewhere.submit(look.newest).result()

    before = looked_at()
    _night(RunState.DONE, finished_at=NOW)
    clockwork[0] += FRESH_SECONDS - 0.1
    assert looked_at() is before
    clockwork[0] += 0.1
    after = looked_at()
    assert after.view.tonight is not None
    assert after.nights[-1].in_time == after.view.tonight.states["done"] == 1


def test_former_nights_are_counted_once_in_five_minutes_and_when_a_night_has_begun(
    database: str, elsewhere: ThreadPoolExecutor, clockwork: list[float]
) -> None:
    now = [LATER]
    look = Look(lambda: now[0])

    def former() -> int:
        clockwork[0] += FRESH_SECONDS
        return sum(night.in_time for night in elsewhere.submit(look.newest).result().nights[:-1])

    _night(RunState.DONE, finished_at=NOW)
    assert former() == 0
    _night(RunState.DONE, local_date=TODAY - DAY, finished_at=NOW - DAY)
    assert former() == 0
    clockwork[0] += PAST_SECONDS
    assert former() == 1
    _night(RunState.DONE, local_date=TODAY - DAY, finished_at=NOW - DAY)
    now[0] += DAY
    assert former() == 3


def test_there_are_thirty_nights_the_newest_last(database: str, elsewhere: ThreadPoolExecutor) -> None:
    _night(RunState.DONE, finished_at=NOW)

    nights = elsewhere.submit(Look(lambda: LATER).newest).result().nights

    assert [night.local_date for night in nights] == [TODAY - back * DAY for back in reversed(range(30))]


def test_without_the_database_the_page_says_so_and_looks_again(
    copied_sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable() -> None:
        raise DatabaseUnreachable("canary")

    monkeypatch.setattr(figures, "connected", unreachable)
    site = OperationsSite(lambda: LATER, Secret(PASSWORD), "127.0.0.1")

    told = site.serve(_asked())

    assert (told.status, told.headers["Refresh"]) == (503, "30")
    assert "The database does not answer" in told.body
    assert "canary" not in told.body


def test_what_nobody_foresaw_is_logged_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("canary")

    monkeypatch.setattr(Look, "newest", broken)

    told = OperationsSite(lambda: LATER, Secret(PASSWORD), "127.0.0.1").serve(_asked())

    assert (told.status, told.headers["X-Request-Id"]) == (500, "reference")
    assert "canary" not in told.body
    assert "canary" in caplog.text
