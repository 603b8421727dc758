"""Logs: one line an event, its ids beside it, and nothing in it that could forge another line."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from queue import Full, Queue
from threading import Thread
from typing import TextIO

from log_context import LogContextFilter
from settings import LogFormat

QUIET = ("urllib3", "dramatiq", "peewee")  # warnings of theirs are enough
MOST_WAITING = 10_000  # lines that wait for a reader; what comes after them is counted and dropped
FAREWELL_SECONDS = 1.0  # for the last lines when a process ends
LOST = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"}
WORD = re.compile(r"[\w.:+-]+", re.ASCII)
SILENT = ("pika",)  # it logs each failed attempt several times; whoever called it says so once


class JsonFormatter(logging.Formatter):
    """A JSON object a line. JSON escapes CR, LF and ANSI codes, so a hostile label stays inside its own field."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: str(value) for key, value in getattr(record, "context", {}).items()},
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class TextFormatter(logging.Formatter):
    """A line for a person: when, how grave, what, and the ids. Nothing in it begins a line, moves or colours."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().isoformat(" ", "milliseconds")
        ids = [f"{key}={_word(str(value))}" for key, value in getattr(record, "context", {}).items()]
        line = "  ".join([f"{at} {record.levelname.lower():8} {_visible(record.getMessage())}", *ids])
        if record.exc_info:
            line += "".join(f"\n    {_visible(part)}" for part in self.formatException(record.exc_info).splitlines())
        return line


def _visible(text: str) -> str:
    """What would move the cursor, colour or turn round, as an escape that can be read."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _word(text: str) -> str:
    """A value that cannot pass for two."""
    return text if WORD.fullmatch(text) else json.dumps(text)


class NeverWaiting(logging.Handler):
    """Writes from a thread of its own: if nobody reads the stream, lines are lost and no work waits for them."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: Queue[str] = Queue(MOST_WAITING)
        self._dropped = 0
        Thread(target=self._write, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.put_nowait(self.format(record))
        except Full:
            self._dropped += 1

    def flush(self) -> None:
        """Wait for the lines that wait, not for long."""
        until = time.monotonic() + FAREWELL_SECONDS
        while self._lines.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)

    def _write(self) -> None:
        while True:
            lines = [self._lines.get()]
            if self._dropped:
                lost, self._dropped = self._dropped, 0
                lines.append(self.format(logging.makeLogRecord(LOST | {"msg": f"{lost} lines lost"})))
            with suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()
            self._lines.task_done()


def formatter_for(stream: TextIO, log_format: LogFormat) -> logging.Formatter:
    """How lines are written to a stream."""
    for_a_person = stream.isatty() if log_format is LogFormat.AUTO else log_format is LogFormat.TEXT
    return TextFormatter() if for_a_person else JsonFormatter()


def log_to_stderr(level: int = logging.INFO, log_format: LogFormat = LogFormat.AUTO) -> None:
    """Send every log line of this process to standard error."""
    handler = NeverWaiting(sys.stderr)
    handler.setFormatter(formatter_for(sys.stderr, log_format))
    handler.addFilter(LogContextFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
