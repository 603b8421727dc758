"""What the benchmarks conclude from a measured number, and how they write it down."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from benchmarks.figure import Figure, at_least, at_most, growth, number, percentile
from benchmarks.picture import BAD, FULL, GOOD, MOST, fulfilment, picture
from benchmarks.written_figures import BEGIN, END, Circumstances, Row, read_rows, row_of, updated, with_rows

NOW = Circumstances("make bench", "2026-11-22", 2)
BEFORE = Circumstances("python -m benchmarks --only c", "2026-11-01", 4)
EMPTY = f"# Performance\n\n{BEGIN}\n{END}\n\nThe rest.\n"


def figure(letter: str = "c", measured: float = 4.0, **changes: object) -> Figure:
    told = {"what": f"Seconds of {letter}", "unit": "s", "target": at_most(5)}
    return Figure(letter, measured=measured, **{**told, **changes})  # type: ignore[arg-type]


def written(*figures: Figure, circumstances: Circumstances = NOW) -> list[Row]:
    return [row_of(one, circumstances) for one in figures]


@pytest.mark.parametrize(
    ("target", "measured", "missed"),
    [(at_most(5), 5.0, False), (at_most(5), 5.01, True), (at_least(0.6), 0.6, False), (at_least(0.6), 0.59, True)],
)
def test_a_target_is_met_up_to_its_bound(target: object, measured: float, missed: bool) -> None:
    assert figure(measured=measured, target=target).is_missed == missed


def test_a_figure_without_a_target_misses_nothing() -> None:
    known = figure(measured=1e9, target=None)
    assert (known.is_missed, known.verdict, known.target_text) == (False, "", "")


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0123, "0.0123"), (1.5, "1.50"), (84.53, "84.5"), (6549.2, "6,549")]
)
def test_a_number_shows_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_growth_is_one_when_ten_times_the_work_costs_ten_times_as_much() -> None:
    assert growth(2.0, 20.0) == pytest.approx(1.0)
    assert growth(2.0, 200.0) == pytest.approx(2.0)
    assert growth(2.0, 2.0) == 0


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], 0.95) == 95
    assert percentile([7.0], 0.95) == 7


def test_rows_are_read_as_they_were_written() -> None:
    rows = written(figure("a"), figure("c", measured=9.0))
    document = with_rows(EMPTY, rows)
    assert read_rows(document) == rows
    assert document.startswith("# Performance\n")
    assert document.endswith("\n\nThe rest.\n")


def test_what_was_not_measured_now_keeps_its_row_with_its_own_date() -> None:
    old = written(figure("a"), figure("c", measured=9.0), circumstances=BEFORE)
    rows = updated(old, written(figure("c", measured=3.0), figure("b")))
    assert [(row.letter, row.date, row.verdict) for row in rows] == [
        ("a", "2026-11-01", "holds"),
        ("b", "2026-11-22", "holds"),
        ("c", "2026-11-22", "holds"),
    ]


def test_a_document_without_its_markers_is_not_touched() -> None:
    with pytest.raises(ValueError, match="lost the markers"):
        with_rows("# Performance\n", written(figure()))


def test_the_picture_colours_what_is_missed_and_what_holds() -> None:
    rows = written(figure("c", measured=4.0), figure("d", measured=20.0))
    ET.fromstring(drawn := picture(rows))
    bars = re.findall(r'<rect x="\d+" .* width="([\d.]+)" .* fill="(#\w+)"', drawn)
    (held, green), (missed, red) = bars
    assert (green, red) == (GOOD, BAD)
    assert float(held) == pytest.approx(5 * float(missed), rel=0.01)


def test_the_picture_shows_every_speed_beside_the_others() -> None:
    speeds = [figure(letter, measured, unit="/s", target=None) for letter, measured in (("a", 100.0), ("i", 50.0))]
    widths = re.findall(r'<rect x="\d+" .* width="([\d.]+)"', picture(written(*speeds)))
    assert [float(width) for width in widths] == pytest.approx([FULL, FULL / 2])


@pytest.mark.parametrize(
    ("measured", "target", "times"),
    [(2.5, at_most(5), 2.0), (10.0, at_most(5), 0.5), (1.2, at_least(0.6), 2.0), (0.0, at_most(0), MOST)],
)
def test_how_far_a_target_is_met_is_read_from_the_words(measured: float, target: object, times: float) -> None:
    (row,) = written(figure(measured=measured, target=target))
    assert fulfilment(row) == pytest.approx(times)
