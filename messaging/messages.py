"""Messages as bytes: how they are written without the actor at hand, and what is refused when they are read."""

from collections.abc import Mapping
from typing import Any

import dramatiq
from dramatiq.common import current_millis, q_name
from dramatiq.encoder import JSONEncoder

from clients.decoding import MOST_LEVELS, levels

# Never pickle: whoever may publish to a queue must not thereby run code in a worker.
ENCODER = JSONEncoder()


# What dramatiq puts into a message that it delays or tries again. It would obey other options too, whoever wrote them.
OWN_OPTIONS = ("eta", "retries", "requeue_timestamp")
LONGEST_DELAY_MS = 60 * 60 * 1_000  # a message that is delayed for longer would be taken back by RabbitMQ, for ever


class NotAMessage(ValueError):
    """Bytes that are no message of ours; the text says what is wrong with them and never quotes them."""


def encode(actor_name: str, queue: str, kwargs: Mapping[str, object]) -> bytes:
    """The bytes of a new message for `actor_name`, the same as `actor.message(**kwargs).encode()` would give.

    `kwargs` are ids: strings, integers, booleans or None. Raises TypeError for what JSON cannot carry.
    """
    message: dramatiq.Message[Any] = dramatiq.Message(
        queue_name=queue, actor_name=actor_name, args=(), kwargs=dict(kwargs), options={}
    )
    return ENCODER.encode(message.asdict())


def decode(body: bytes, *, queue: str | None = None) -> dramatiq.Message[Any]:
    """The message in `body`, with the types a worker relies on.

    `queue` is where it was found: a message that names another one would end the worker's thread, so it is refused.
    Raises NotAMessage.
    """
    if levels(body) > MOST_LEVELS:
        raise NotAMessage(f"arrays and objects nested more than {MOST_LEVELS} levels deep")
    try:
        fields = ENCODER.decode(body)
        message: dramatiq.Message[Any] = dramatiq.Message(**{**fields, "args": tuple(fields["args"])})
    except Exception as error:
        raise NotAMessage(f"the body is not a message ({type(error).__name__})") from None
    wrong = _what_is_wrong(message, queue)
    if wrong is not None:
        raise NotAMessage(wrong)
    drop_foreign_options(message)
    return message


def drop_foreign_options(message: Any) -> None:
    """Remove every option of a message, or of its proxy, that our own broker does not set."""
    for name in message.options.keys() - set(OWN_OPTIONS):
        del message.options[name]


def _what_is_wrong(message: Any, queue: str | None) -> str | None:
    texts = (message.queue_name, message.actor_name, message.message_id)
    if not all(isinstance(text, str) for text in texts):
        return "queue_name, actor_name and message_id must be texts"
    if not isinstance(message.kwargs, dict) or not isinstance(message.options, dict):
        return "kwargs and options must be objects"
    if not all(_is_count(message.options.get(name, 0)) for name in OWN_OPTIONS):
        return f"{', '.join(OWN_OPTIONS)} must be whole numbers"
    if message.options.get("eta", 0) > current_millis() + LONGEST_DELAY_MS:
        return "its eta is more than an hour away"
    if queue is not None and q_name(message.queue_name) != q_name(queue):
        return "it names another queue than the one it was found on"
    return None


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0
