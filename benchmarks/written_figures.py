"""docs/performance.md: the figures between two markers, a row each; one that was not measured now keeps its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figure import Figure

BEGIN = "<!-- measured figures: begin (written by make bench) -->"
END = "<!-- measured figures: end -->"
HEAD = ("", "what", "measured", "target", "verdict", "command", "date", "cores")


@dataclass(frozen=True)
class Circumstances:
    """How, when and on what it was measured."""

    command: str
    date: str
    cores: int


@dataclass(frozen=True)
class Row:
    """One figure as it stands in the document."""

    letter: str
    what: str
    measured: str
    target: str
    verdict: str
    command: str
    date: str
    cores: str

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            *(self.letter, self.what, self.measured, self.target, self.verdict),
            *(f"`{self.command}`", self.date, self.cores),
        )


def row_of(figure: Figure, circumstances: Circumstances) -> Row:
    """A figure that was measured now."""
    return Row(
        figure.letter,
        figure.what,
        figure.measured_text,
        figure.target_text,
        figure.verdict,
        circumstances.command,
        circumstances.date,
        str(circumstances.cores),
    )


def read_rows(document: str) -> list[Row]:
    """The rows that stand between the markers."""
    return [_read(line) for line in _parts(document)[1].splitlines() if line.startswith("| ") and "`" in line]


def updated(rows: Sequence[Row], measured: Sequence[Row]) -> list[Row]:
    """Each letter that was measured now has its new rows, every other one its old; in the order of letters."""
    letters = {row.letter for row in measured}
    kept = [row for row in rows if row.letter not in letters]
    return sorted([*kept, *measured], key=lambda row: row.letter)


def with_rows(document: str, rows: Sequence[Row]) -> str:
    """The document with these rows between its markers."""
    head, _, tail = _parts(document)
    lines = [_line(HEAD), _line(("---",) * len(HEAD)), *(_line(row.cells) for row in rows)]
    return f"{head}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{tail}"


def _parts(document: str) -> tuple[str, str, str]:
    """Before, between and after the markers."""
    head, begin, rest = document.partition(BEGIN)
    between, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("docs/performance.md has lost the markers between which its figures stand")
    return head, between, tail


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _read(line: str) -> Row:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if len(cells) != len(HEAD):
        raise ValueError(f"not a row of figures: {line}")
    return Row(*(cell.strip("`") for cell in cells))
