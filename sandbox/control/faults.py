"""/control/faults."""

import re
from typing import Any

import msgspec

from sandbox.control.answers import Wrong, created, read, unknown
from sandbox.fault_spec import FaultSpec
from sandbox.faults import Fault
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


def show_all(world: World, _call: Call) -> Answer:
    """Every fault with its counts."""
    return json_answer({"faults": [_content(fault) for fault in world.faults.all()]})


def show(world: World, _call: Call, number: str) -> Answer:
    """One fault with its counts."""
    return json_answer(_content(_find(world, number)))


def add(world: World, call: Call) -> Answer:
    """Let a fault loose."""
    try:
        fault = world.faults.add(read(call, FaultSpec))
    except re.error as error:
        raise Wrong(f"match.path is no regular expression: {error}.") from error
    return created(_content(fault))


def release(world: World, _call: Call, number: str) -> Answer:
    """Let what a hold fault holds go, and later requests pass."""
    fault = _find(world, number)
    fault.release()
    return json_answer(_content(fault))


def remove(world: World, _call: Call, number: str) -> Answer:
    """Forget one fault."""
    world.faults.remove(_find(world, number))
    return json_answer({})


def clear(world: World, _call: Call) -> Answer:
    """Forget every fault."""
    for fault in world.faults.all():
        world.faults.remove(fault)
    return json_answer({})


def _find(world: World, number: str) -> Fault:
    for fault in world.faults.all():
        if fault.id == number:
            return fault
    raise unknown("fault", number)


def _content(fault: Fault) -> dict[str, Any]:
    counts = {"hits": fault.hits, "seen": fault.seen, "holding": fault.holding}
    return {"id": fault.id, **msgspec.to_builtins(fault.spec), **counts}
