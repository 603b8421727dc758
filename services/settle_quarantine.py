"""A person deals with what was put into quarantine: tried once more by today's rules, or discarded for good."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TypeVar

import msgspec

from clients.decoding import read
from clients.qonto.account_events import NotAnEvent
from clients.qonto.bank_accounts import QontoAccount
from clients.qonto.transactions import Transaction
from models import audit
from models.bank_account import read_again_from
from models.database import transaction
from models.outbox import OutboxMessage
from models.quarantine import Quarantine, digest_of, sealing_context, settle
from models.states import Lane
from services.receive_event import SOURCE as EVENTS
from services.receive_event import Delivery, receive_trusted, understand
from services.store_accounts import ACCOUNTS
from services.workbench import Workbench

LANE = "lane "  # what the sources of messages begin with
ACCOUNT = "Qonto account "  # and those of rows of a list of transactions


Shape = TypeVar("Shape")


class CannotSettle(Exception):
    """It stays in quarantine; the message says why."""


class _Message(msgspec.Struct):
    """A job's message, as far as it has to be sent again."""

    actor_name: str
    kwargs: dict[str, int | str | bool | None]


def requeue(row: Quarantine, workbench: Workbench, who: str, reason: str) -> None:
    """Let it go the way it would have gone, and settle it, with an audit entry. Raises CannotSettle."""
    now = workbench.clock()
    with transaction():
        _settle(row, who, "quarantine.requeue", reason, now)
        if row.source == EVENTS:
            _receive_again(row, workbench)
        elif row.source.startswith(LANE):
            _announce_again(row, now)
        elif row.source.startswith(ACCOUNTS):
            _readable(row, QontoAccount, workbench)  # each night reads the accounts anew
        else:
            _read_again(row, workbench)


def discard(row: Quarantine, who: str, reason: str, now: datetime) -> None:
    """Nobody will look at it again; its bytes are kept. Raises CannotSettle when it was settled before."""
    with transaction():
        _settle(row, who, "quarantine.discard", reason, now)


def read_raw(row: Quarantine, workbench: Workbench, who: str) -> bytes:
    """Its exact bytes, IBANs too, with an audit entry of who read them. Raises CannotDecrypt."""
    payload = payload_of(row, workbench)
    audit.record(who, "quarantine.read", str(row.id), workbench.clock())
    return payload


def payload_of(row: Quarantine, workbench: Workbench) -> bytes:
    """Its bytes in clear. Raises CannotDecrypt."""
    kept = bytes(row.payload)
    return workbench.keyring.unseal(kept, sealing_context(row.digest)) if row.is_sealed else kept


def _settle(row: Quarantine, who: str, action: str, reason: str, now: datetime) -> None:
    if not settle(row, now):
        raise CannotSettle(f"{row.id} was dealt with before")
    audit.record(who, action, str(row.id), now, reason)


def _receive_again(row: Quarantine, workbench: Workbench) -> None:
    body = payload_of(row, workbench)
    if digest_of(row.source, body) != row.digest:
        raise CannotSettle("only the beginning of its bytes was kept")
    delivery = Delivery(body, **json.loads(row.headers))
    try:
        receive_trusted(understand(delivery, workbench), delivery, workbench)
    except NotAnEvent as error:
        raise CannotSettle(f"it would come back: {error}") from error


def _announce_again(row: Quarantine, now: datetime) -> None:
    lane = row.source.removeprefix(LANE)
    try:
        message = read(bytes(row.payload), _Message)
    except (ValueError, RecursionError) as error:
        raise CannotSettle("its bytes are no message") from error
    if lane not in tuple(Lane):
        raise CannotSettle(f"there is no lane {lane}")
    OutboxMessage.create(lane=lane, actor=message.actor_name, arguments=json.dumps(message.kwargs), created_at=now)


def _read_again(row: Quarantine, workbench: Workbench) -> None:
    """The night reads the account from there on again, and stores what it did not have."""
    transaction = _readable(row, Transaction, workbench)
    read_again_from(row.source.removeprefix(ACCOUNT), transaction.updated_at)


def _readable(row: Quarantine, shape: type[Shape], workbench: Workbench) -> Shape:
    """Return what its bytes say by today's rules. Raises CannotSettle."""
    try:
        return read(payload_of(row, workbench), shape)
    except (ValueError, RecursionError) as error:
        raise CannotSettle(f"it still cannot be read: {error}") from error
