"""Logs: one line an event, its ids beside it, and nothing in it that could forge another line."""

from __future__ import annotations

import json
import logging
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from queue import Full, Queue
from threading import Thread
from typing import TextIO

from messaging import LogContextFilter

QUIET = ("urllib3", "dramatiq", "peewee")  # warnings of theirs are enough
MOST_WAITING = 10_000  # lines that wait for a reader; what comes after them is counted and dropped
FAREWELL_SECONDS = 1.0  # for the last lines when a process ends
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
                lines.append(json.dumps({"level": "warning", "logger": __name__, "message": f"{lost} lines lost"}))
            with suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()
            self._lines.task_done()


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error."""
    handler = NeverWaiting(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(LogContextFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
