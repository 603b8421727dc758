"""A message that failed for good is written down with its bytes and its reason before it leaves the queue."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dramatiq
from dramatiq.broker import Broker, MessageProxy

from messaging.database import Database
from messaging.messages import ENCODER

logger = logging.getLogger(__name__)

MAX_REASON = 500


@dataclass(frozen=True)
class DeadLetter:
    """A message that no worker will try again. `message_id` and `actor` are None when the bytes are no message."""

    queue: str
    body: bytes
    reason: str
    message_id: str | None
    actor: str | None


# Writes a dead letter down, durably, before it returns. May be called twice for the same message.
Record = Callable[[DeadLetter], object]


def reason_of(error: BaseException | None) -> str:
    """Why, in one bounded line: the kind of error and its text, with what could forge a log line escaped."""
    if error is None:
        return "rejected without an error"
    text = f"{type(error).__name__}: {error}"
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)[:MAX_REASON]


class Quarantine(dramatiq.Middleware):
    """Hands each message that failed for good to `record`, connected to the database, before it is rejected.

    When `record` fails the message is rejected all the same, becomes a dead letter in RabbitMQ, and the
    dead-letter reader hands it over later.
    """

    def __init__(self, record: Record, database: Database) -> None:
        self._record = record
        self._database = database

    def before_nack(self, _broker: Broker, message: MessageProxy) -> None:
        letter = DeadLetter(
            queue=message.queue_name,
            body=_bytes_of(message),
            reason=reason_of(message._exception),
            message_id=message.message_id,
            actor=message.actor_name,
        )
        with self._database.connection():
            self._record(letter)
        mark_recorded(message)
        logger.error("Message %s of %s is in quarantine: %s", letter.message_id, letter.actor, letter.reason)


def mark_recorded(message: MessageProxy) -> None:
    """Say that `message` is written down, so that RabbitMQ may forget it."""
    vars(message)["recorded"] = True


def is_recorded(message: MessageProxy) -> bool:
    """True when `message` was written down and needs no dead letter."""
    return "recorded" in vars(message)


def _bytes_of(message: MessageProxy) -> bytes:
    fields: dict[str, Any] = message.asdict()
    # A traceback may quote data; the reason says enough.
    fields["options"] = {name: value for name, value in message.options.items() if name != "traceback"}
    return ENCODER.encode(fields)
