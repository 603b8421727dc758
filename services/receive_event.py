"""What arrives from Qonto's core: trusted, understood and stored once, or put into quarantine. Nothing is dropped."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from enum import StrEnum

from clients.qonto.account_events import AccountEvent, NotAnEvent, read_event
from domain.event_signature import why_not_trusted
from domain.reasons import Followed
from failpoints import hit
from models.database import transaction
from models.inbox import announce_events, event_of, settle_event, store_event
from models.organisation import live_connection
from models.quarantine import quarantine
from services.workbench import Workbench

log = logging.getLogger(__name__)

SOURCE = "qonto.events"  # in the quarantine


class Reception(StrEnum):
    """What became of a delivery; in each case it is safe in the database."""

    STORED = "stored"  # a new event
    KNOWN = "known"  # delivered again
    QUARANTINED = "quarantined"  # not understood, or not trusted


@dataclass(frozen=True)
class Delivery:
    """A message as it came. `key_id` and `signature` are its headers, empty if there are none."""

    body: bytes
    key_id: str = ""
    signature: str = ""


def receive_event(delivery: Delivery, workbench: Workbench) -> Reception:
    """Store an event with the message to whoever follows it, or quarantine what is none. Safe to say twice."""
    try:
        event = understand(delivery, workbench)
        hit("heard")
        reception = receive_trusted(event, delivery, workbench)
    except NotAnEvent as error:
        put_into_quarantine(delivery, str(error), workbench)
        reception = Reception.QUARANTINED
    hit("noted")
    return reception


def understand(delivery: Delivery, workbench: Workbench) -> AccountEvent:
    """The event, trusted. Raises NotAnEvent, whose text quotes nothing of the body."""
    if workbench.event_keys is not None:
        refusal = why_not_trusted(delivery.body, delivery.key_id, delivery.signature, workbench.event_keys)
        if refusal:
            raise NotAnEvent(refusal)
    return read_event(delivery.body)


def receive_trusted(event: AccountEvent, delivery: Delivery, workbench: Workbench) -> Reception:
    """Store an event, once. Raises NotAnEvent when another one has its identity."""
    now = workbench.clock()
    digest = hashlib.sha256(delivery.body).hexdigest()
    with transaction():
        number = store_event(
            now,
            source=event.source,
            event_id=event.id,
            type=str(event.type),
            organisation_id=event.organisation_id,
            bank_account_id=event.bank_account_id,
            version=event.version,
            happened_at=event.time,
            digest=digest,
        )
        if number is None:
            if event_of(event.source, event.id).digest != digest:
                raise NotAnEvent("an event of this source and id is in the inbox already, with other bytes")
            return Reception.KNOWN
        if live_connection(event.organisation_id):
            announce_events([(number, event.type)], now)
        else:
            settle_event(number, Followed.NOT_CONNECTED, now)
    return Reception.STORED


def put_into_quarantine(delivery: Delivery, reason: str, workbench: Workbench) -> None:
    """With its bytes, sealed: an event names an IBAN, which is never stored in clear."""
    headers = json.dumps({"key_id": delivery.key_id, "signature": delivery.signature})
    quarantine(SOURCE, delivery.body, reason, workbench.clock(), seal=workbench.keyring.seal, headers=headers)
    log.error("an event is in quarantine: %s", reason)
