"""Events as Qonto's core sends them, and the headers that sign them (docs/events is the contract)."""

from __future__ import annotations

import json
from datetime import datetime
from time import struct_time
from typing import Any

from domain.event_signature import signature
from messaging.event_queues import KEY_ID as KEY_ID_HEADER
from messaging.event_queues import SIGNATURE as SIGNATURE_HEADER
from tests.factories import NOW

KEY_ID, KEY = "core-1", bytes(range(32))
KEYS = {KEY_ID: KEY, "core-0": bytes(32)}  # the ring that we trust: the core's key, and the one before it
SOURCE = "/qonto/core/bank-accounts"


def event(
    type_: str = "account.created",
    *,
    id: str = "event-1",  # noqa: A002 - as CloudEvents call it
    organisation_id: str = "organisation-1",
    account_id: str = "account-1",
    status: str = "active",
    version: str = NOW.isoformat(),
    time: str = NOW.isoformat(),
    **data: Any,
) -> bytes:
    """The body of an event; `data` is what else it tells of the account, an `iban` for example."""
    account = {"organization_id": organisation_id, "id": account_id, "status": status, "updated_at": version}
    content = {"specversion": "1.0", "id": id, "source": SOURCE, "type": type_, "time": time, "data": account | data}
    return json.dumps(content, ensure_ascii=False).encode()


def signed(body: bytes, key_id: str, key: bytes) -> dict[str, str]:
    """The headers of a body that is signed under this key."""
    return {KEY_ID_HEADER: key_id, SIGNATURE_HEADER: signature(body, key)}


def headers_of(body: bytes) -> dict[str, str]:
    """The headers with which the core sends a body."""
    return signed(body, KEY_ID, KEY)


class Milliseconds(datetime):
    """A moment that its writer counted in milliseconds, and AMQP in seconds: the year 58692."""

    def utctimetuple(self) -> struct_time:
        return struct_time((1970, 1, 20_717_592, 0, 0, 0, 0, 0, 0))
