"""The ids of the job at hand, on every log line below it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import dramatiq
from dramatiq.broker import Broker, MessageProxy

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


class LogContextFilter(logging.Filter):
    """Sets `record.context` to the log context, for a formatter to write out. Lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.context = log_context()
        return True


class LogContext(dramatiq.Middleware):
    """Fills the log context while a message is worked on."""

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        ids = {name: value for name, value in message.kwargs.items() if name.endswith("_id")}
        _context.set({"message_id": message.message_id, "actor": message.actor_name, **ids})

    def after_process_message(self, *_: Any, **__: Any) -> None:
        _context.set(_EMPTY)

    after_skip_message = after_process_message
