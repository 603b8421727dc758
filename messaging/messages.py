"""Messages as bytes: how they are written without the actor at hand, and what is refused when they are read."""

from collections.abc import Mapping
from typing import Any

import dramatiq
from dramatiq.common import q_name
from dramatiq.encoder import JSONEncoder

# Never pickle: whoever may publish to a queue must not thereby run code in a worker.
ENCODER = JSONEncoder()


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
    try:
        fields = ENCODER.decode(body)
        message: dramatiq.Message[Any] = dramatiq.Message(**{**fields, "args": tuple(fields["args"])})
    except Exception as error:
        raise NotAMessage(f"the body is not a message ({type(error).__name__})") from None
    wrong = _what_is_wrong(message, queue)
    if wrong is not None:
        raise NotAMessage(wrong)
    return message


def _what_is_wrong(message: Any, queue: str | None) -> str | None:
    texts = (message.queue_name, message.actor_name, message.message_id)
    if not all(isinstance(text, str) for text in texts):
        return "queue_name, actor_name and message_id must be texts"
    if not isinstance(message.kwargs, dict) or not isinstance(message.options, dict):
        return "kwargs and options must be objects"
    if queue is not None and q_name(message.queue_name) != q_name(queue):
        return "it names another queue than the one it was found on"
    return None
