"""Events of Qonto's core about bank accounts: CloudEvents 1.0 in structured mode (docs/events is the contract)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from clients.decoding import MOST_LEVELS, Moment, decoder_of, levels
from clients.decoding import Id as Name

JSON = "application/json"
MOST_BYTES = 64 * 1024  # of a body; CloudEvents asks intermediaries for no more

# RFC 3339 to the letter, which Moment is not, and of 2000 on: no language's zero, no year that UTC carries off the end.
_Written = Annotated[str, msgspec.Meta(pattern=r"^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z")]


class EventType(StrEnum):
    CREATED = "account.created"  # an account was opened
    DEACTIVATED = "account.deactivated"  # an account was closed, which is for good


class NotAnEvent(ValueError):
    """Bytes that are no event we understand; the text says what is wrong with them and never quotes them."""


class _Account(msgspec.Struct):
    """What we read of the account; the rest of it, its IBAN too, is read from Qonto when it is needed."""

    organization_id: Name
    id: Name
    status: Name
    updated_at: _Written


class _Envelope(msgspec.Struct):
    specversion: str
    id: Name
    source: Name
    type: Name
    time: _Written
    data: _Account
    datacontenttype: str = JSON


class AccountEvent(msgspec.Struct, frozen=True):
    """`source` and `id` identify it. `version` is the account's `updated_at` when it happened; moments are aware."""

    source: str
    id: str
    type: EventType
    time: datetime
    organisation_id: str
    bank_account_id: str
    version: datetime


def read_event(body: bytes) -> AccountEvent:
    """The event in `body`; fields that we do not know are ignored. Raises NotAnEvent."""
    if len(body) > MOST_BYTES:
        raise NotAnEvent(f"{len(body)} bytes; an event has at most {MOST_BYTES}")
    if levels(body) > MOST_LEVELS:
        raise NotAnEvent(f"arrays and objects nested more than {MOST_LEVELS} levels deep")
    try:
        envelope = decoder_of(_Envelope).decode(body.decode())  # which reads also what the decoder skips
    except msgspec.DecodeError as error:  # it names the place and what belongs there
        raise NotAnEvent(f"not an account event: {error}") from None
    except UnicodeDecodeError as error:
        raise NotAnEvent(f"not an account event: {type(error).__name__}") from None
    if envelope.specversion != "1.0" or envelope.datacontenttype != JSON:
        raise NotAnEvent("not a CloudEvent 1.0 with JSON in it")
    if envelope.type not in tuple(EventType):
        raise NotAnEvent("an event of a type that we do not know")
    account = envelope.data
    return AccountEvent(
        source=envelope.source,
        id=envelope.id,
        type=EventType(envelope.type),
        time=_moment(envelope.time, "$.time"),
        organisation_id=account.organization_id,
        bank_account_id=account.id,
        version=_moment(account.updated_at, "$.data.updated_at"),
    )


def _moment(written: str, place: str) -> datetime:
    try:
        return msgspec.convert(written, Moment)
    except msgspec.ValidationError as error:  # no such day or hour
        raise NotAnEvent(f"not an account event: {error} - at `{place}`") from None
