"""/control/clock."""

import msgspec

from sandbox.control.answers import instant, read
from sandbox.instants import instant_text
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World


class _Move(msgspec.Struct, forbid_unknown_fields=True):
    now: str | None = None
    advance_seconds: float | None = None
    frozen: bool | None = None


def show(world: World, _call: Call) -> Answer:
    """What time it is."""
    return json_answer({"now": instant_text(world.clock.now_ms()), "frozen": world.clock.frozen})


def move(world: World, call: Call) -> Answer:
    """Set, then advance, then freeze or thaw."""
    wanted = read(call, _Move)
    if wanted.now is not None:
        world.clock.move_to(instant(wanted.now, "now"))
    if wanted.advance_seconds is not None:
        world.clock.move_to(world.clock.now_ms() + round(wanted.advance_seconds * 1000))
    if wanted.frozen is True:
        world.clock.freeze()
    if wanted.frozen is False:
        world.clock.thaw()
    return show(world, call)
