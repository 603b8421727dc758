"""What happens to bank accounts at Qonto, and the events that tell of it."""

from typing import Annotated, Any

import msgspec

from sandbox.control.answers import Wrong, created, instant, read
from sandbox.control.qonto import find_account, find_organisation
from sandbox.core.event import CREATED, DEACTIVATED
from sandbox.founding import AccountSpec
from sandbox.founding import open_account as found_account
from sandbox.instants import instant_text
from sandbox.introductions import account_content
from sandbox.wire import Answer, Call, json_answer
from sandbox.world import World

_AMQP_NAME_BYTES = 255


class _Name(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class _Emission(msgspec.Struct, forbid_unknown_fields=True):
    type: str = CREATED
    id: str | None = None
    time: str | None = None
    version: str | None = None
    status: str | None = None
    times: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    signed: bool = True
    data: dict[str, Any] = {}


def open_account(world: World, call: Call, organisation_id: str) -> Answer:
    """One more bank account."""
    organisation = find_organisation(world, organisation_id)
    account = found_account(world, world.ids, organisation, read(call, AccountSpec))
    world.core.announce(account, CREATED, world.clock.now_ms())
    return created(account_content(account))


def activate_account(world: World, _call: Call, organisation_id: str, account_id: str) -> Answer:
    """A pending account can be used."""
    account, now_ms = find_account(world, organisation_id, account_id), world.clock.now_ms()
    if account.status != "pending":
        raise Wrong(f"The account is {account.status}, not pending.")
    account.change(now_ms, status="active")
    world.core.announce(account, CREATED, now_ms)
    return json_answer(account_content(account))


def close_account(world: World, _call: Call, organisation_id: str, account_id: str) -> Answer:
    """Closed for ever; its rows stay listable."""
    account, now_ms = find_account(world, organisation_id, account_id), world.clock.now_ms()
    account.change(now_ms, status="closed")
    world.core.announce(account, DEACTIVATED, now_ms)
    return json_answer(account_content(account))


def rename_account(world: World, call: Call, organisation_id: str, account_id: str) -> Answer:
    """Another name."""
    account = find_account(world, organisation_id, account_id)
    account.change(world.clock.now_ms(), name=read(call, _Name).name)
    return json_answer(account_content(account))


def emit(world: World, call: Call, organisation_id: str, account_id: str) -> Answer:
    """An event as told, whatever the account is really like."""
    account, wanted = find_account(world, organisation_id, account_id), read(call, _Emission)
    for name, text in (("type", wanted.type), ("id", wanted.id or "")):
        if len(text.encode()) > _AMQP_NAME_BYTES:
            raise Wrong(f"{name} has more than {_AMQP_NAME_BYTES} bytes, which AMQP cannot carry.")
    event = world.core.event(
        account,
        wanted.type,
        instant(wanted.time, "time") if wanted.time else world.clock.now_ms(),
        event_id=wanted.id,
        changes=_changes(wanted),
        signed=wanted.signed,
    )
    return created({"events": [world.core.emit(event).content() for _ in range(wanted.times)]})


def _changes(wanted: _Emission) -> dict[str, Any]:
    version = {"updated_at": instant_text(instant(wanted.version, "version"))} if wanted.version else {}
    status = {"status": wanted.status} if wanted.status is not None else {}
    return version | status | wanted.data
