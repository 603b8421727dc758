"""The people of Xero, and which organisations they may connect."""

from typing import Annotated, Any

import msgspec

from sandbox.control.answers import read
from sandbox.control.xero import find_tenant
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World
from sandbox.xero.office import User


class _User(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    tenants: list[str] = []


def show(world: World, _call: Call) -> Answer:
    """Everybody, in the order in which they were first named."""
    return json_answer({"users": [_content(world, user) for user in world.office.users.values()]})


def change(world: World, call: Call) -> Answer:
    """What a person may connect from now on; a new name is a new person. What is connected stays."""
    wanted = read(call, _User)
    tenants = [find_tenant(world, tenant_id) for tenant_id in wanted.tenants]
    user = world.office.user(wanted.name)
    user.tenants = {tenant.id: tenant for tenant in tenants}
    return json_answer(_content(world, user))


def _content(world: World, user: User) -> dict[str, Any]:
    connected = list(world.office.connections.get(user.id, {}))
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "tenants": list(user.tenants),
        "connected": connected,
    }
