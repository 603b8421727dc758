"""Reading a list that moves while it is read: nothing is ever missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.walk import Position, next_position, reached
from tests.unit.fakes import NOW

MILLISECOND = timedelta(milliseconds=1)
MOST_PAGES = 5_000  # a walk that needs more than this will never end


@dataclass
class ShiftingList:
    """Qonto's list: rows by `updated_at`, offset pages, and edits that move a row to the end.

    `inclusive` says whether `updated_at_from` includes its own moment, which Qonto does not tell.
    """

    updated_at: dict[int, datetime]
    page_size: int
    inclusive: bool
    edits: dict[int, int] = field(default_factory=dict)  # after which page asked for, which row is edited
    pages_asked: int = 0

    def page(self, position: Position) -> tuple[list[int], bool]:
        """The rows of a page, and whether there are more after them."""
        rows = sorted(self.updated_at, key=lambda row: (self.updated_at[row], row))
        rows = [row for row in rows if self._is_from(row, position.updated_from)]
        start, end = (position.page - 1) * self.page_size, position.page * self.page_size
        return rows[start:end], len(rows) > end

    def _is_from(self, row: int, moment: datetime) -> bool:
        return self.updated_at[row] >= moment if self.inclusive else self.updated_at[row] > moment

    def edit(self, row: int) -> None:
        self.updated_at[row] = max(self.updated_at.values()) + timedelta(seconds=1)

    def walk(self, updated_from: datetime) -> set[int]:
        """Every row that is seen on the way, edits and all."""
        seen: set[int] = set()
        position: Position | None = Position(updated_from)
        while position:
            rows, more = self.page(position)
            seen.update(rows)
            position = next_position(
                position, max((self.updated_at[row] for row in rows), default=position.updated_from), more=more
            )
            self.pages_asked += 1
            assert self.pages_asked < MOST_PAGES, "the walk does not end"
            if self.pages_asked in self.edits:
                self.edit(self.edits[self.pages_asked])
        return seen


ListOf = Callable[..., ShiftingList]


@pytest.fixture(params=[True, False], ids=["from is inclusive", "from is exclusive"])
def list_of(request: pytest.FixtureRequest) -> ListOf:
    """A list of rows, given by their milliseconds after NOW."""

    def make(milliseconds: list[int], page_size: int) -> ShiftingList:
        moments = {row: NOW + n * MILLISECOND for row, n in enumerate(milliseconds)}
        return ShiftingList(moments, page_size, request.param)

    return make


@pytest.mark.parametrize("page_size", [1, 2, 100])
@pytest.mark.parametrize(
    "milliseconds",
    [
        [7] * 150,
        [5, 6, *[7] * 150, 8, 9],
        [*[7] * 150, *[8] * 150],
        list(range(150)),
        list(range(0, 1500, 10)),
        [],
        [7],
    ],
    ids=["one crowd", "a crowd among others", "two crowds", "every millisecond", "apart", "empty", "one row"],
)
def test_every_row_is_seen_whatever_the_page_size_and_however_many_share_a_moment(
    list_of: ListOf, milliseconds: list[int], page_size: int
) -> None:
    rows = list_of(milliseconds, page_size)

    assert rows.walk(NOW - MILLISECOND) == set(range(len(milliseconds)))


@given(
    st.lists(st.integers(0, 30), max_size=40),
    st.integers(1, 8),
    st.booleans(),
)
def test_every_row_of_any_list_is_seen(milliseconds: list[int], page_size: int, inclusive: bool) -> None:
    rows = ShiftingList({row: NOW + n * MILLISECOND for row, n in enumerate(milliseconds)}, page_size, inclusive)

    assert rows.walk(NOW - MILLISECOND) == set(range(len(milliseconds)))


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=60, unique=True),
    st.integers(3, 8),
    st.booleans(),
    st.dictionaries(st.integers(1, 30), st.integers(0, 59), max_size=15),
)
def test_a_row_edited_between_two_pages_hides_no_other(
    milliseconds: list[int], page_size: int, inclusive: bool, edits: dict[int, int]
) -> None:
    rows = ShiftingList(
        {row: NOW + n * MILLISECOND for row, n in enumerate(milliseconds)},
        page_size,
        inclusive,
        {page: row % len(milliseconds) for page, row in edits.items()},
    )

    assert rows.walk(NOW - MILLISECOND) == set(range(len(milliseconds)))


def test_reading_on_by_page_number_alone_would_have_missed_a_row(list_of: ListOf) -> None:
    rows = list_of(list(range(6)), page_size=3)
    first, _ = rows.page(Position(NOW - MILLISECOND))
    rows.edit(0)
    second, _ = rows.page(Position(NOW - MILLISECOND, page=2))

    assert set(first + second) != set(range(6))


def test_the_walk_goes_on_by_moment_and_not_by_page() -> None:
    here = Position(NOW)

    assert next_position(here, NOW + timedelta(seconds=5), more=True) == Position(
        NOW + timedelta(seconds=5) - MILLISECOND
    )


def test_only_a_moment_that_does_not_pass_raises_the_page() -> None:
    assert next_position(Position(NOW), NOW + MILLISECOND, more=True) == Position(NOW, page=2)
    assert next_position(Position(NOW, page=2), NOW + MILLISECOND, more=True) == Position(NOW, page=3)


def test_the_walk_ends_where_qonto_says_that_there_is_no_more() -> None:
    assert next_position(Position(NOW), NOW + timedelta(days=1), more=False) is None


@pytest.mark.parametrize(
    ("milliseconds", "last"),
    [([1, 2, 2, 3], 3), ([], None), ([1, 9, 2, 3], None), ([3, 2, 1], None), ([1, 2, 11], None), ([10], 10)],
    ids=["in order", "empty", "one too late", "the wrong way round", "the last in the future", "now"],
)
def test_a_page_shows_the_list_up_to_its_last_row_only_where_no_moment_is_wrong(
    milliseconds: list[int], last: int | None
) -> None:
    moments = [NOW + n * MILLISECOND for n in milliseconds]

    assert reached(moments, NOW + 10 * MILLISECOND) == (None if last is None else NOW + last * MILLISECOND)
