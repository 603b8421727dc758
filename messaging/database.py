"""A database connection for the length of a message, never longer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dramatiq
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import MiddlewareError


@dataclass(frozen=True)
class Database:
    """How a thread takes its connection and gives it back; both must be harmless when called twice."""

    open: Callable[[], object]
    close: Callable[[], object]

    @contextmanager
    def connection(self) -> Iterator[None]:
        """Connected inside the block."""
        self.open()
        try:
            yield
        finally:
            self.close()


class DatabaseUnavailable(MiddlewareError):
    """No connection could be opened, so the actor was not started; the message is retried as after any failure."""


class DatabaseConnection(dramatiq.Middleware):
    """Connects before the actor and disconnects after it, however it ends, so that no thread keeps a pool's slot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def before_process_message(self, _broker: Broker, _message: MessageProxy) -> None:
        try:
            self._database.open()
        except Exception as error:
            # dramatiq starts the actor all the same unless the error is its own kind.
            raise DatabaseUnavailable(f"no database connection: {type(error).__name__}") from error

    def after_process_message(self, *_: Any, **__: Any) -> None:
        self._database.close()

    after_skip_message = after_process_message
