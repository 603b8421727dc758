"""One event about a bank account: CloudEvents 1.0 in structured mode, and who signed it."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from sandbox.instants import instant_text
from sandbox.qonto.account import BankAccount
from sandbox.wire import encode_json

CREATED = "account.created"
DEACTIVATED = "account.deactivated"
_SOURCE = "/qonto/core/bank-accounts"


@dataclass(frozen=True, slots=True)
class Event:
    """What goes over the wire: `body` is signed and sent as it stands; without a key there are no `headers`."""

    type: str
    id: str
    account_id: str
    organisation_id: str
    body: bytes
    headers: dict[str, str]


def event_body(account: BankAccount, event_type: str, event_id: str, time_ms: int, changes: dict[str, Any]) -> bytes:
    """The event's JSON; `changes` go over its data."""
    content = {
        "specversion": "1.0",
        "id": event_id,
        "source": _SOURCE,
        "type": event_type,
        "time": instant_text(time_ms),
        "subject": account.id,
        "datacontenttype": "application/json",
        "data": _data(account) | changes,
    }
    return encode_json(content)


def signed_headers(body: bytes, key_id: str, key: bytes) -> dict[str, str]:
    """Who signed exactly these bytes: HMAC-SHA256 in 64 lower-case hex digits, under the named key."""
    return {"x-qonto-key-id": key_id, "x-qonto-signature": hmac.new(key, body, hashlib.sha256).hexdigest()}


def _data(account: BankAccount) -> dict[str, Any]:
    return {
        "organization_id": account.organisation_id,
        "id": account.id,
        "name": account.name,
        "slug": account.slug,
        "iban": account.iban,
        "bic": account.bic,
        "currency": account.currency,
        "status": account.status,
        "main": account.main,
        "is_external_account": account.is_external,
        "updated_at": instant_text(account.updated_ms),
    }
