"""What a person sees: tables and colour on a terminal, plain lines in a pipe, JSON when asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

COLOURS = {
    "posted": "green",
    "done": "green",
    "live": "green",
    "yes": "green",
    "held": "yellow",
    "waiting": "yellow",
    "uncertain": "yellow",
    "due": "cyan",
    "running": "cyan",
    "rejected": "red",
    "failed": "red",
    "no": "red",
    "needs_reconnect": "red",
}


class Screen:
    """Where results go (standard output) and where everything else goes (standard error)."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def rows(self, title: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """A table: JSON takes every field of every row, the others show `columns`."""
        found = list(rows)
        if self.as_json:
            self.json(found)
        elif self.out.is_terminal:
            self.out.print(table(title, columns, found))
        else:
            lines = ["\t".join(columns), *("\t".join(plain(row[column]) for column in columns) for row in found)]
            self._write("\n".join(lines))

    def json(self, value: Any) -> None:
        self._write(json.dumps(value, default=_json, indent=2))

    def _write(self, text: str) -> None:
        """At once: whoever reads a pipe may be waiting for it."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def say(self, text: str, style: str = "") -> None:
        """A line beside the result; silent when the result is JSON, or there is nothing to say."""
        if text and not self.as_json:
            self.out.print(escape(plain(text)), style=style or None)

    def note(self, text: str) -> None:
        """Write a line on standard error: what a person wants to know while they wait."""
        self.err.print(escape(plain(text)))

    def progress(self) -> Progress:
        """A progress bar on standard error; it draws nothing when that is no terminal."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.err,
            disable=not self.err.is_terminal,
            transient=True,
        )


def table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Table:
    """Rows for a terminal: what is known by its colour has it, numbers stand to the right."""
    drawn = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        numbers = bool(rows) and all(isinstance(row[column], int) for row in rows)
        drawn.add_column(column.replace("_", " "), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(_coloured(row[column]) for column in columns))
    return drawn


def _coloured(value: Any) -> str:
    text = escape(plain(value))
    colour = COLOURS.get(text)
    return f"[{colour}]{text}[/{colour}]" if colour else text


def plain(value: Any) -> str:
    """One line of printable text, whatever a bank or a person put into a name."""
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if isinstance(value, datetime):
        value = value.isoformat(sep=" ", timespec="seconds")
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else " " for c in text)


def _json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
