"""/control/core: where the core publishes, and what it emitted."""

from typing import Annotated

import msgspec

from sandbox.control.answers import Wrong, number, read
from sandbox.core.broker import Broker
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World

_Key = Annotated[bytes, msgspec.Meta(min_length=1)]
_KeyId = Annotated[str, msgspec.Meta(min_length=1)]


class _Configuration(msgspec.Struct, forbid_unknown_fields=True):
    broker_url: str | msgspec.UnsetType | None = msgspec.UNSET
    key_id: _KeyId | msgspec.UnsetType | None = msgspec.UNSET
    key: _Key | msgspec.UnsetType | None = msgspec.UNSET
    emits: bool | msgspec.UnsetType = msgspec.UNSET


def show(world: World, _call: Call) -> Answer:
    """Where it publishes and under which key; nothing secret."""
    core = world.core
    return json_answer({"broker": core.address, "key_id": core.key_id, "pending": core.pending})


def change(world: World, call: Call) -> Answer:
    """Change what is given; all or none."""
    wanted, core = read(call, _Configuration), world.core
    if wanted.broker_url is not msgspec.UNSET:
        core.lead_to(None if wanted.broker_url is None else _broker(wanted.broker_url))
    for name in ("key_id", "key", "emits"):
        value = getattr(wanted, name)
        if value is not msgspec.UNSET:
            setattr(core, name, value)
    return show(world, call)


def show_events(world: World, call: Call) -> Answer:
    """What was emitted, oldest first, published or not."""
    emissions = world.core.emissions
    content = [emission.content() for emission in emissions.after(number(call, "after") or 0)]
    return json_answer({"events": content, "last": emissions.last})


def _broker(url: str) -> Broker:
    try:
        return Broker(url)
    except ValueError as error:
        raise Wrong(f"broker_url is {error}.") from error
