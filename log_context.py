"""The ids of what is at hand, on every log line below it. Ground that every floor but domain may stand on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_EMPTY: Mapping[str, object] = MappingProxyType({})
_context: ContextVar[Mapping[str, object]] = ContextVar("log_context", default=_EMPTY)


def log_context() -> Mapping[str, object]:
    """What is known about the job of this thread: `message_id`, `actor`, and every argument named `..._id`."""
    return _context.get()


@contextmanager
def logging_with(**ids: object) -> Iterator[None]:
    """Add `ids` to every log line inside the block."""
    token = _context.set({**_context.get(), **ids})
    try:
        yield
    finally:
        _context.reset(token)


def log_from_now(**ids: object) -> None:
    """The same where there is no block: from now on these are all ids of this thread."""
    _context.set(ids)


class LogContextFilter(logging.Filter):
    """Sets `record.context` to the log context, for a formatter to write out. Lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.context = log_context()
        return True
