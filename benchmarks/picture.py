"""docs/performance.svg: how far each target is met, and posting beside the bare loops, as bars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.figure import Target
from benchmarks.written_figures import Row

WIDTH = 860
LEFT = 440  # where bars begin, right of their names
FULL = 300  # a bar's length at the largest value
LINE = 24
TITLE = 30
APART = 16
MOST = 3.0  # targets that are met more than this many times over look alike
SPEEDS = ("a", "i")  # the letters that tell of transactions a second
NUMBER = re.compile(r"-?[\d,]+(?:\.\d+)?")
GOOD, BAD, PLAIN = "#2f7d4f", "#b3412e", "#5b6b7c"


@dataclass(frozen=True)
class Bar:
    """`share` of the longest bar's length."""

    row: Row
    share: float
    colour: str


def picture(rows: Sequence[Row]) -> str:
    """The whole file."""
    speeds = [row for row in rows if row.letter in SPEEDS and row.measured.endswith("/s")]
    fastest = max((_value(row.measured) for row in speeds), default=1.0)
    aimed = [row for row in rows if row.target and row.letter != "g"]
    above = [Bar(row, _value(row.measured) / fastest, PLAIN) for row in speeds]
    below = [Bar(row, min(1.0, fulfilment(row) / MOST), BAD if row.verdict == "missed" else GOOD) for row in aimed]
    first, middle = _chart("Transactions a second", above, 8)
    second, end = _chart("How far each target is met: the line is the target, longer is better", below, middle)
    x = LEFT + FULL / MOST
    rule = f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{middle + TITLE}" y2="{end - APART}" stroke="#222"/>'
    return "\n".join([_opening(end), *first, *second, rule, "</svg>"]) + "\n"


def _opening(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="Measured figures and their targets" font-family="system-ui, sans-serif" font-size="13">'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    )


def fulfilment(row: Row) -> float:
    """How many times a target is met, from the words in the document."""
    target = Target(_value(row.target), at_least=row.target.startswith("at least"))
    measured = _value(row.measured)
    return MOST if target.is_met_by(measured) and target.bound == 0 else target.fulfilment(measured)


def _chart(title: str, bars: Sequence[Bar], y: int) -> tuple[list[str], int]:
    """Its parts, and where the next one may begin."""
    parts = [f'<text x="12" y="{y + 18}" font-weight="600">{escape(title)}</text>']
    for number, bar in enumerate(bars):
        parts += _row(bar.row, y + TITLE + number * LINE, FULL * bar.share, bar.colour)
    return parts, y + TITLE + len(bars) * LINE + APART


def _row(row: Row, y: int, length: float, colour: str) -> list[str]:
    return [
        f'<text x="{LEFT - 10}" y="{y + 13}" text-anchor="end" fill="#222">{escape(row.what)}</text>',
        f'<rect x="{LEFT}" y="{y + 2}" width="{max(1.0, length):.1f}" height="{LINE - 9}" fill="{colour}"/>',
        f'<text x="{LEFT + max(1.0, length) + 6:.1f}" y="{y + 13}" fill="#222">{escape(row.measured)}</text>',
    ]


def _value(text: str) -> float:
    found = NUMBER.search(text)
    if found is None:
        raise ValueError(f"there is no number in {text!r}")
    return float(found[0].replace(",", ""))
