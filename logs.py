"""Logs: one line an event, its ids beside it, and nothing in it that could forge another line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from messaging import LogContextFilter

QUIET = ("urllib3", "dramatiq", "peewee")  # warnings of theirs are enough
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


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(LogContextFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
