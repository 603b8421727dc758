"""The ids of a message, on every log line below it."""

from typing import Any

import dramatiq
from dramatiq.broker import Broker, MessageProxy

from log_context import log_from_now
from messaging.arguments import is_id


def ids_of(message: MessageProxy) -> dict[str, Any]:
    """Return its own id, its actor, and every argument named `..._id` that is one."""
    ids = {name: value for name, value in message.kwargs.items() if name.endswith("_id") and is_id(value)}
    return {"message_id": message.message_id, "actor": message.actor_name, **ids}


class LogContext(dramatiq.Middleware):
    """Fills the log context while a message is worked on."""

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        log_from_now(**ids_of(message))

    def after_process_message(self, *_: Any, **__: Any) -> None:
        log_from_now()

    after_skip_message = after_process_message
