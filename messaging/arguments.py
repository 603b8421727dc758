"""Messages whose arguments their actor does not take: refused at once, because a retry would bring the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import dramatiq
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import SkipMessage

BIGINT = 2**63 - 1  # the largest id that a database holds


class WrongArguments(SkipMessage):
    """The message cannot be run, ever; the text names the argument and never quotes it."""


class CheckArguments(dramatiq.Middleware):
    """Fails a message before its actor is started, unless each parameter that is annotated as an `int` gets an id."""

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        wrong = what_is_wrong(broker.get_actor(message.actor_name).fn, message.args, message.kwargs)
        if wrong:
            message.fail()
            raise WrongArguments(wrong)


def what_is_wrong(actor: Callable[..., object], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Return why `actor` cannot be called with these, or an empty string if it can."""
    signature = _signature(actor)
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:
        takes = ", ".join(name for name, one in signature.parameters.items() if one.kind is not one.VAR_KEYWORD)
        return f"the actor takes {takes or 'no argument'}, and the message has others"
    for name, value in given.items():
        if signature.parameters[name].annotation is int and not is_id(value):
            return f"{name} is not a whole number from 0 to {BIGINT}"
    return ""


def is_id(value: object) -> bool:
    """Return whether this is a number under which a database may hold a row."""
    return type(value) is int and 0 <= value <= BIGINT


@cache
def _signature(actor: Callable[..., object]) -> inspect.Signature:
    return inspect.signature(actor, eval_str=True)
