"""/control/requests."""

import re

from sandbox.control.answers import Wrong, number
from sandbox.instants import instant_text
from sandbox.requestlog import Entry
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


def show(world: World, call: Call) -> Answer:
    """The requests that pass the filters, oldest first."""
    entries = world.requests.since(number(call, "after") or 0)
    path = _pattern(call.parameter("path"))
    for name in ("service", "tenant", "method", "status", "key", "fault"):
        wanted = call.parameter(name)
        if wanted:
            entries = [entry for entry in entries if _text(entry, name) == wanted]
    if path is not None:
        entries = [entry for entry in entries if path.search(entry.call.path)]
    limit = number(call, "limit")
    entries = entries[: limit if limit is not None else len(entries)]
    content = [entry.content() for entry in entries]
    return json_answer({"requests": content, "last_id": world.requests.last_id, "dropped": world.requests.dropped})


def show_open(world: World, _call: Call) -> Answer:
    """The requests in progress."""
    content = [
        {
            "time": instant_text(time_ms),
            "service": one.service,
            "method": one.method,
            "path": one.path,
            "tenant": one.tenant or None,
            "key": one.key or None,
            "fault": one.fault.id if one.fault else None,
        }
        for time_ms, one in world.requests.open_calls()
    ]
    return json_answer({"requests": content})


def clear(world: World, _call: Call) -> Answer:
    """Forget every ended request."""
    world.requests.clear()
    return json_answer({})


def _text(entry: Entry, name: str) -> str:
    match name:
        case "status":
            return str(entry.status)
        case "fault":
            return entry.call.fault.id if entry.call.fault else ""
        case _:
            return str(getattr(entry.call, name))


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text, re.IGNORECASE) if text else None
    except re.error as error:
        raise Wrong(f"path is no regular expression: {error}.") from error
