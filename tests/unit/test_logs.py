"""Logs: a line for a person on a terminal, JSON for everybody else, and no work that waits for either."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest

from logs import JsonFormatter, NeverWaiting, TextFormatter, formatter_for
from settings import LogFormat


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("log_format", "stream", "formatter"),
    [
        (LogFormat.AUTO, Terminal(), TextFormatter),
        (LogFormat.AUTO, io.StringIO(), JsonFormatter),
        (LogFormat.JSON, Terminal(), JsonFormatter),
        (LogFormat.TEXT, io.StringIO(), TextFormatter),
    ],
)
def test_a_person_reads_text_and_a_machine_json(
    log_format: LogFormat, stream: io.StringIO, formatter: type[logging.Formatter]
) -> None:
    assert type(formatter_for(stream, log_format)) is formatter


def test_a_line_for_a_person_says_when_how_grave_what_and_whose() -> None:
    record = logging.LogRecord("services", logging.WARNING, "", 0, "run %s waits", (7,), None)
    record.created = 1_795_648_500.25
    record.context = {"run_id": 7, "organisation_id": "a-1"}

    when, rest = TextFormatter().format(record).split("  ", 1)

    assert re.fullmatch(r"2026-11-2\d \d\d:\d\d:\d\d\.250[+-]\d\d:\d\d warning", when)
    assert rest.strip() == "run 7 waits  run_id=7  organisation_id=a-1"


@pytest.mark.parametrize(("formatter", "read"), [(JsonFormatter(), json.loads), (TextFormatter(), str)])
def test_lines_that_nobody_read_are_counted_in_the_same_way_of_writing(
    formatter: logging.Formatter, read: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logs.MOST_WAITING", 1)
    stream = io.StringIO()
    handler = NeverWaiting(stream)
    handler.setFormatter(formatter)
    handler._dropped = 3

    handler.emit(logging.LogRecord("services", logging.INFO, "", 0, "posted", (), None))
    handler.flush()

    posted, lost = stream.getvalue().splitlines()
    assert "posted" in str(read(posted))
    assert "3 lines lost" in str(read(lost))
