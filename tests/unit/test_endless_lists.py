"""A list of Qonto's that says of every page that another one follows is read to an end all the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from clients.errors import Unreadable
from clients.http import Answer, Http
from clients.qonto.client import Qonto
from services.read_transactions import MOST_PAGES, walk
from tests.unit.fakes import NOW, FakeBudget, FakeTokens
from tests.unit.test_qonto_client import ROW

MOST_CALLS = 3 * MOST_PAGES
MOMENT = {"updated_at": NOW.isoformat()}


class Endless(Http):
    """Answers every page with what `rows` makes of its number, and says that another one follows."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.calls = 0

    def call(self, method: str, url: str, *, params: Mapping[str, str] | None = None, **_: Any) -> Answer:
        self.calls += 1
        assert self.calls < MOST_CALLS, f"{method} {url} without end"
        page = int((params or {})["page"])
        return Answer(200, {}, json.dumps({"transactions": self.rows(page), "meta": {"next_page": page + 1}}).encode())


def _walk(http: Http) -> list[str]:
    qonto = Qonto(http, "https://qonto.example", FakeTokens(), FakeBudget(), lambda: NOW)
    return [row.id for page in walk(qonto, "account-1", NOW) for row in page.rows]


def test_a_list_that_gives_the_same_rows_for_every_page_ends() -> None:
    http = Endless(lambda _: [ROW | MOMENT | {"id": name} for name in "abc"])

    assert set(_walk(http)) == {"a", "b", "c"}
    assert http.calls < 10


def test_a_list_that_gives_the_same_unreadable_row_for_every_page_ends() -> None:
    http = Endless(lambda _: [{"id": None}])

    assert _walk(http) == []
    assert http.calls < 10


def test_a_page_with_a_new_row_that_cannot_be_read_is_not_the_last() -> None:
    pages = {1: [ROW | MOMENT | {"id": "a"}], 2: [{"id": None}], 3: [ROW | MOMENT | {"id": "b"}]}

    assert set(_walk(Endless(lambda page: pages.get(page, [])))) == {"a", "b"}


def test_new_rows_of_one_moment_without_end_are_no_list() -> None:
    with pytest.raises(Unreadable):
        _walk(Endless(lambda page: [ROW | MOMENT | {"id": f"row-{page}"}]))
