"""`python -m benchmarks`: measure, print one table, and write docs/performance.md and its picture."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.catalogue import CATALOGUE, Bench
from benchmarks.figure import Figure
from benchmarks.picture import picture
from benchmarks.progress import say
from benchmarks.stage import open_stage
from benchmarks.written_figures import Circumstances, read_rows, row_of, updated, with_rows

MISSED = 1
DOCUMENT = Path(__file__).parents[1] / "docs" / "performance.md"
PICTURE = DOCUMENT.with_suffix(".svg")


def main() -> int:
    """0 when every target is met, 1 when one is missed."""
    wishes = _arguments()
    figures: list[Figure] = []
    with open_stage() as stage:
        bench = Bench(stage, part=0.1 if wishes.quick else 1.0)
        for letter in wishes.only:
            say(f"({letter}) begins")
            figures += CATALOGUE[letter](bench)
    if not wishes.quick:
        write_down(figures, wishes.only)
    sys.stdout.write(_as_json(figures) if wishes.json else as_table(figures))
    return MISSED if any(figure.is_missed for figure in figures) else 0


def write_down(figures: list[Figure], letters: list[str]) -> None:
    """Put them into the document, each with the command that measured it, and draw the picture anew."""
    command = "make bench" if letters == list(CATALOGUE) else f"python -m benchmarks --only {','.join(letters)}"
    circumstances = Circumstances(command, datetime.now(UTC).date().isoformat(), os.cpu_count() or 1)
    document = DOCUMENT.read_text()
    rows = updated(read_rows(document), [row_of(figure, circumstances) for figure in figures])
    DOCUMENT.write_text(with_rows(document, rows))
    PICTURE.write_text(picture(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.add_argument(
        "--only", type=_letters, default=list(CATALOGUE), metavar="a,c", help="these figures (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the work; writes no documentation")
    return parser.parse_args()


def _letters(text: str) -> list[str]:
    letters = [letter.strip() for letter in text.split(",")]
    unknown = [letter for letter in letters if letter not in CATALOGUE]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no figure {', '.join(unknown)}; there are {', '.join(CATALOGUE)}")
    return letters


def as_table(figures: list[Figure]) -> str:
    """One line a figure."""
    head = ("", "what", "measured", "target", "")
    lines = [head, *((f.letter, f.what, f.measured_text, f.target_text, f.verdict) for f in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def _as_json(figures: list[Figure]) -> str:
    return json.dumps([asdict(figure) | {"verdict": figure.verdict} for figure in figures], indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
