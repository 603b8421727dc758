"""/control/settings and /control/reset."""

from typing import Any

import msgspec

from sandbox.control.answers import Wrong, read
from sandbox.settings import Settings
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


def show(world: World, _call: Call) -> Answer:
    """Every setting."""
    return json_answer(world.settings)


def change(world: World, call: Call) -> Answer:
    """Change the settings that are given; all or none."""
    changes = read(call, dict[str, Any])
    try:
        world.settings = msgspec.convert({**msgspec.to_builtins(world.settings), **changes}, Settings)
    except msgspec.ValidationError as error:
        raise Wrong(f"The settings are not as expected: {error}.") from error
    return show(world, call)


def reset(world: World, _call: Call) -> Answer:
    """Forget everything but the settings, how the core is configured and the time."""
    world.reset()
    return json_answer({})
